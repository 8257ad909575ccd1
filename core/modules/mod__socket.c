/* _socket: the module and its constants. */
#include <arpa/inet.h>
#include <linux/can.h>
#include <linux/netlink.h>
#include <linux/tipc.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <netpacket/packet.h>
#include <sys/socket.h>

#include "socket.h"

static const struct {
    const char *name;
    int64_t value;
} constants[] = {
    {"AF_ALG", (int64_t)AF_ALG}, {"AF_APPLETALK", (int64_t)AF_APPLETALK}, {"AF_ASH", (int64_t)AF_ASH},
    {"AF_ATMPVC", (int64_t)AF_ATMPVC}, {"AF_ATMSVC", (int64_t)AF_ATMSVC}, {"AF_AX25", (int64_t)AF_AX25},
    {"AF_BLUETOOTH", (int64_t)AF_BLUETOOTH}, {"AF_BRIDGE", (int64_t)AF_BRIDGE}, {"AF_CAN", (int64_t)AF_CAN},
    {"AF_ECONET", (int64_t)AF_ECONET}, {"AF_INET", (int64_t)AF_INET}, {"AF_INET6", (int64_t)AF_INET6},
    {"AF_IPX", (int64_t)AF_IPX}, {"AF_IRDA", (int64_t)AF_IRDA}, {"AF_KEY", (int64_t)AF_KEY},
    {"AF_LLC", (int64_t)AF_LLC}, {"AF_NETBEUI", (int64_t)AF_NETBEUI}, {"AF_NETLINK", (int64_t)AF_NETLINK},
    {"AF_NETROM", (int64_t)AF_NETROM}, {"AF_PACKET", (int64_t)AF_PACKET}, {"AF_PPPOX", (int64_t)AF_PPPOX},
    {"AF_QIPCRTR", (int64_t)AF_QIPCRTR}, {"AF_RDS", (int64_t)AF_RDS}, {"AF_ROSE", (int64_t)AF_ROSE},
    {"AF_ROUTE", (int64_t)AF_ROUTE}, {"AF_SECURITY", (int64_t)AF_SECURITY}, {"AF_SNA", (int64_t)AF_SNA},
    {"AF_TIPC", (int64_t)AF_TIPC}, {"AF_UNIX", (int64_t)AF_UNIX}, {"AF_UNSPEC", (int64_t)AF_UNSPEC},
    {"AF_VSOCK", (int64_t)AF_VSOCK}, {"AF_WANPIPE", (int64_t)AF_WANPIPE}, {"AF_X25", (int64_t)AF_X25},
    {"AI_ADDRCONFIG", (int64_t)AI_ADDRCONFIG}, {"AI_ALL", (int64_t)AI_ALL}, {"AI_CANONNAME", (int64_t)AI_CANONNAME},
    {"AI_NUMERICHOST", (int64_t)AI_NUMERICHOST}, {"AI_NUMERICSERV", (int64_t)AI_NUMERICSERV},
    {"AI_PASSIVE", (int64_t)AI_PASSIVE}, {"AI_V4MAPPED", (int64_t)AI_V4MAPPED}, {"CAN_BCM", (int64_t)CAN_BCM},
    {"CAN_EFF_FLAG", (int64_t)CAN_EFF_FLAG}, {"CAN_EFF_MASK", (int64_t)CAN_EFF_MASK},
    {"CAN_ERR_FLAG", (int64_t)CAN_ERR_FLAG}, {"CAN_ERR_MASK", (int64_t)CAN_ERR_MASK},
    {"CAN_ISOTP", (int64_t)CAN_ISOTP}, {"CAN_J1939", (int64_t)CAN_J1939}, {"CAN_RAW", (int64_t)CAN_RAW},
    {"CAN_RTR_FLAG", (int64_t)CAN_RTR_FLAG}, {"CAN_SFF_MASK", (int64_t)CAN_SFF_MASK},
    {"EAI_ADDRFAMILY", (int64_t)EAI_ADDRFAMILY}, {"EAI_AGAIN", (int64_t)EAI_AGAIN},
    {"EAI_BADFLAGS", (int64_t)EAI_BADFLAGS}, {"EAI_FAIL", (int64_t)EAI_FAIL}, {"EAI_FAMILY", (int64_t)EAI_FAMILY},
    {"EAI_MEMORY", (int64_t)EAI_MEMORY}, {"EAI_NODATA", (int64_t)EAI_NODATA}, {"EAI_NONAME", (int64_t)EAI_NONAME},
    {"EAI_OVERFLOW", (int64_t)EAI_OVERFLOW}, {"EAI_SERVICE", (int64_t)EAI_SERVICE},
    {"EAI_SOCKTYPE", (int64_t)EAI_SOCKTYPE}, {"EAI_SYSTEM", (int64_t)EAI_SYSTEM},
    {"INADDR_ALLHOSTS_GROUP", (int64_t)INADDR_ALLHOSTS_GROUP}, {"INADDR_ANY", (int64_t)INADDR_ANY},
    {"INADDR_BROADCAST", (int64_t)INADDR_BROADCAST}, {"INADDR_LOOPBACK", (int64_t)INADDR_LOOPBACK},
    {"INADDR_MAX_LOCAL_GROUP", (int64_t)INADDR_MAX_LOCAL_GROUP}, {"INADDR_NONE", (int64_t)INADDR_NONE},
    {"INADDR_UNSPEC_GROUP", (int64_t)INADDR_UNSPEC_GROUP},
    {"IPPORT_RESERVED", (int64_t)IPPORT_RESERVED}, {"IPPORT_USERRESERVED", (int64_t)IPPORT_USERRESERVED},
    {"IPPROTO_AH", (int64_t)IPPROTO_AH}, {"IPPROTO_DSTOPTS", (int64_t)IPPROTO_DSTOPTS},
    {"IPPROTO_EGP", (int64_t)IPPROTO_EGP}, {"IPPROTO_ESP", (int64_t)IPPROTO_ESP},
    {"IPPROTO_FRAGMENT", (int64_t)IPPROTO_FRAGMENT}, {"IPPROTO_GRE", (int64_t)IPPROTO_GRE},
    {"IPPROTO_HOPOPTS", (int64_t)IPPROTO_HOPOPTS}, {"IPPROTO_ICMP", (int64_t)IPPROTO_ICMP},
    {"IPPROTO_ICMPV6", (int64_t)IPPROTO_ICMPV6}, {"IPPROTO_IDP", (int64_t)IPPROTO_IDP},
    {"IPPROTO_IGMP", (int64_t)IPPROTO_IGMP}, {"IPPROTO_IP", (int64_t)IPPROTO_IP},
    {"IPPROTO_IPIP", (int64_t)IPPROTO_IPIP}, {"IPPROTO_IPV6", (int64_t)IPPROTO_IPV6},
    {"IPPROTO_MPTCP", (int64_t)IPPROTO_MPTCP}, {"IPPROTO_NONE", (int64_t)IPPROTO_NONE},
    {"IPPROTO_PIM", (int64_t)IPPROTO_PIM}, {"IPPROTO_PUP", (int64_t)IPPROTO_PUP},
    {"IPPROTO_RAW", (int64_t)IPPROTO_RAW}, {"IPPROTO_ROUTING", (int64_t)IPPROTO_ROUTING},
    {"IPPROTO_RSVP", (int64_t)IPPROTO_RSVP}, {"IPPROTO_SCTP", (int64_t)IPPROTO_SCTP},
    {"IPPROTO_TCP", (int64_t)IPPROTO_TCP}, {"IPPROTO_TP", (int64_t)IPPROTO_TP}, {"IPPROTO_UDP", (int64_t)IPPROTO_UDP},
    {"IPPROTO_UDPLITE", (int64_t)IPPROTO_UDPLITE}, {"IPV6_CHECKSUM", (int64_t)IPV6_CHECKSUM},
    {"IPV6_DONTFRAG", (int64_t)IPV6_DONTFRAG}, {"IPV6_DSTOPTS", (int64_t)IPV6_DSTOPTS},
    {"IPV6_HOPLIMIT", (int64_t)IPV6_HOPLIMIT}, {"IPV6_HOPOPTS", (int64_t)IPV6_HOPOPTS},
    {"IPV6_JOIN_GROUP", (int64_t)IPV6_JOIN_GROUP}, {"IPV6_LEAVE_GROUP", (int64_t)IPV6_LEAVE_GROUP},
    {"IPV6_MULTICAST_HOPS", (int64_t)IPV6_MULTICAST_HOPS}, {"IPV6_MULTICAST_IF", (int64_t)IPV6_MULTICAST_IF},
    {"IPV6_MULTICAST_LOOP", (int64_t)IPV6_MULTICAST_LOOP}, {"IPV6_NEXTHOP", (int64_t)IPV6_NEXTHOP},
    {"IPV6_PATHMTU", (int64_t)IPV6_PATHMTU}, {"IPV6_PKTINFO", (int64_t)IPV6_PKTINFO},
    {"IPV6_RECVDSTOPTS", (int64_t)IPV6_RECVDSTOPTS}, {"IPV6_RECVHOPLIMIT", (int64_t)IPV6_RECVHOPLIMIT},
    {"IPV6_RECVHOPOPTS", (int64_t)IPV6_RECVHOPOPTS}, {"IPV6_RECVPATHMTU", (int64_t)IPV6_RECVPATHMTU},
    {"IPV6_RECVPKTINFO", (int64_t)IPV6_RECVPKTINFO}, {"IPV6_RECVRTHDR", (int64_t)IPV6_RECVRTHDR},
    {"IPV6_RECVTCLASS", (int64_t)IPV6_RECVTCLASS}, {"IPV6_RTHDR", (int64_t)IPV6_RTHDR},
    {"IPV6_RTHDRDSTOPTS", (int64_t)IPV6_RTHDRDSTOPTS}, {"IPV6_RTHDR_TYPE_0", (int64_t)IPV6_RTHDR_TYPE_0},
    {"IPV6_TCLASS", (int64_t)IPV6_TCLASS}, {"IPV6_UNICAST_HOPS", (int64_t)IPV6_UNICAST_HOPS},
    {"IPV6_V6ONLY", (int64_t)IPV6_V6ONLY}, {"IP_ADD_MEMBERSHIP", (int64_t)IP_ADD_MEMBERSHIP},
    {"IP_BIND_ADDRESS_NO_PORT", (int64_t)IP_BIND_ADDRESS_NO_PORT},
    {"IP_DEFAULT_MULTICAST_LOOP", (int64_t)IP_DEFAULT_MULTICAST_LOOP},
    {"IP_DEFAULT_MULTICAST_TTL", (int64_t)IP_DEFAULT_MULTICAST_TTL},
    {"IP_DROP_MEMBERSHIP", (int64_t)IP_DROP_MEMBERSHIP}, {"IP_HDRINCL", (int64_t)IP_HDRINCL},
    {"IP_MAX_MEMBERSHIPS", (int64_t)IP_MAX_MEMBERSHIPS}, {"IP_MULTICAST_IF", (int64_t)IP_MULTICAST_IF},
    {"IP_MULTICAST_LOOP", (int64_t)IP_MULTICAST_LOOP}, {"IP_MULTICAST_TTL", (int64_t)IP_MULTICAST_TTL},
    {"IP_OPTIONS", (int64_t)IP_OPTIONS}, {"IP_RECVOPTS", (int64_t)IP_RECVOPTS},
    {"IP_RECVRETOPTS", (int64_t)IP_RECVRETOPTS}, {"IP_RECVTOS", (int64_t)IP_RECVTOS},
    {"IP_RETOPTS", (int64_t)IP_RETOPTS}, {"IP_TOS", (int64_t)IP_TOS}, {"IP_TRANSPARENT", (int64_t)IP_TRANSPARENT},
    {"IP_TTL", (int64_t)IP_TTL}, {"MSG_CMSG_CLOEXEC", (int64_t)MSG_CMSG_CLOEXEC},
    {"MSG_CONFIRM", (int64_t)MSG_CONFIRM}, {"MSG_CTRUNC", (int64_t)MSG_CTRUNC},
    {"MSG_DONTROUTE", (int64_t)MSG_DONTROUTE}, {"MSG_DONTWAIT", (int64_t)MSG_DONTWAIT}, {"MSG_EOR", (int64_t)MSG_EOR},
    {"MSG_ERRQUEUE", (int64_t)MSG_ERRQUEUE}, {"MSG_FASTOPEN", (int64_t)MSG_FASTOPEN}, {"MSG_MORE", (int64_t)MSG_MORE},
    {"MSG_NOSIGNAL", (int64_t)MSG_NOSIGNAL}, {"MSG_OOB", (int64_t)MSG_OOB}, {"MSG_PEEK", (int64_t)MSG_PEEK},
    {"MSG_TRUNC", (int64_t)MSG_TRUNC}, {"MSG_WAITALL", (int64_t)MSG_WAITALL},
    {"NETLINK_CRYPTO", (int64_t)NETLINK_CRYPTO}, {"NETLINK_DNRTMSG", (int64_t)NETLINK_DNRTMSG},
    {"NETLINK_FIREWALL", (int64_t)NETLINK_FIREWALL}, {"NETLINK_IP6_FW", (int64_t)NETLINK_IP6_FW},
    {"NETLINK_NFLOG", (int64_t)NETLINK_NFLOG}, {"NETLINK_ROUTE", (int64_t)NETLINK_ROUTE},
    {"NETLINK_USERSOCK", (int64_t)NETLINK_USERSOCK}, {"NETLINK_XFRM", (int64_t)NETLINK_XFRM},
    {"NI_DGRAM", (int64_t)NI_DGRAM}, {"NI_MAXHOST", (int64_t)NI_MAXHOST}, {"NI_MAXSERV", (int64_t)NI_MAXSERV},
    {"NI_NAMEREQD", (int64_t)NI_NAMEREQD}, {"NI_NOFQDN", (int64_t)NI_NOFQDN},
    {"NI_NUMERICHOST", (int64_t)NI_NUMERICHOST}, {"NI_NUMERICSERV", (int64_t)NI_NUMERICSERV},
    {"PACKET_BROADCAST", (int64_t)PACKET_BROADCAST}, {"PACKET_FASTROUTE", (int64_t)PACKET_FASTROUTE},
    {"PACKET_HOST", (int64_t)PACKET_HOST}, {"PACKET_LOOPBACK", (int64_t)PACKET_LOOPBACK},
    {"PACKET_MULTICAST", (int64_t)PACKET_MULTICAST}, {"PACKET_OTHERHOST", (int64_t)PACKET_OTHERHOST},
    {"PACKET_OUTGOING", (int64_t)PACKET_OUTGOING}, {"PF_CAN", (int64_t)PF_CAN}, {"PF_PACKET", (int64_t)PF_PACKET},
    {"PF_RDS", (int64_t)PF_RDS}, {"SCM_CREDENTIALS", (int64_t)SCM_CREDENTIALS}, {"SCM_RIGHTS", (int64_t)SCM_RIGHTS},
    {"SHUT_RD", (int64_t)SHUT_RD}, {"SHUT_RDWR", (int64_t)SHUT_RDWR}, {"SHUT_WR", (int64_t)SHUT_WR},
    {"SOCK_CLOEXEC", (int64_t)SOCK_CLOEXEC}, {"SOCK_DGRAM", (int64_t)SOCK_DGRAM},
    {"SOCK_NONBLOCK", (int64_t)SOCK_NONBLOCK}, {"SOCK_RAW", (int64_t)SOCK_RAW}, {"SOCK_RDM", (int64_t)SOCK_RDM},
    {"SOCK_SEQPACKET", (int64_t)SOCK_SEQPACKET}, {"SOCK_STREAM", (int64_t)SOCK_STREAM}, {"SOL_ALG", (int64_t)SOL_ALG},
    {"SOL_CAN_BASE", (int64_t)SOL_CAN_BASE}, {"SOL_IP", (int64_t)SOL_IP}, {"SOL_RDS", (int64_t)SOL_RDS},
    {"SOL_SOCKET", (int64_t)SOL_SOCKET}, {"SOL_TCP", (int64_t)SOL_TCP}, {"SOL_TIPC", (int64_t)SOL_TIPC},
    {"SOL_UDP", (int64_t)SOL_UDP}, {"SOMAXCONN", (int64_t)SOMAXCONN}, {"SO_ACCEPTCONN", (int64_t)SO_ACCEPTCONN},
    {"SO_BINDTODEVICE", (int64_t)SO_BINDTODEVICE}, {"SO_BROADCAST", (int64_t)SO_BROADCAST},
    {"SO_DEBUG", (int64_t)SO_DEBUG}, {"SO_DOMAIN", (int64_t)SO_DOMAIN}, {"SO_DONTROUTE", (int64_t)SO_DONTROUTE},
    {"SO_ERROR", (int64_t)SO_ERROR}, {"SO_INCOMING_CPU", (int64_t)SO_INCOMING_CPU},
    {"SO_KEEPALIVE", (int64_t)SO_KEEPALIVE}, {"SO_LINGER", (int64_t)SO_LINGER}, {"SO_MARK", (int64_t)SO_MARK},
    {"SO_OOBINLINE", (int64_t)SO_OOBINLINE}, {"SO_PASSCRED", (int64_t)SO_PASSCRED},
    {"SO_PASSSEC", (int64_t)SO_PASSSEC}, {"SO_PEERCRED", (int64_t)SO_PEERCRED}, {"SO_PEERSEC", (int64_t)SO_PEERSEC},
    {"SO_PRIORITY", (int64_t)SO_PRIORITY}, {"SO_PROTOCOL", (int64_t)SO_PROTOCOL}, {"SO_RCVBUF", (int64_t)SO_RCVBUF},
    {"SO_RCVLOWAT", (int64_t)SO_RCVLOWAT}, {"SO_RCVTIMEO", (int64_t)SO_RCVTIMEO},
    {"SO_REUSEADDR", (int64_t)SO_REUSEADDR}, {"SO_REUSEPORT", (int64_t)SO_REUSEPORT},
    {"SO_SNDBUF", (int64_t)SO_SNDBUF}, {"SO_SNDLOWAT", (int64_t)SO_SNDLOWAT}, {"SO_SNDTIMEO", (int64_t)SO_SNDTIMEO},
    {"SO_TYPE", (int64_t)SO_TYPE}, {"SO_VM_SOCKETS_BUFFER_MAX_SIZE", (int64_t)SO_VM_SOCKETS_BUFFER_MAX_SIZE},
    {"SO_VM_SOCKETS_BUFFER_MIN_SIZE", (int64_t)SO_VM_SOCKETS_BUFFER_MIN_SIZE},
    {"SO_VM_SOCKETS_BUFFER_SIZE", (int64_t)SO_VM_SOCKETS_BUFFER_SIZE}, {"TCP_CONGESTION", (int64_t)TCP_CONGESTION},
    {"TCP_CORK", (int64_t)TCP_CORK}, {"TCP_DEFER_ACCEPT", (int64_t)TCP_DEFER_ACCEPT},
    {"TCP_FASTOPEN", (int64_t)TCP_FASTOPEN}, {"TCP_INFO", (int64_t)TCP_INFO}, {"TCP_KEEPCNT", (int64_t)TCP_KEEPCNT},
    {"TCP_KEEPIDLE", (int64_t)TCP_KEEPIDLE}, {"TCP_KEEPINTVL", (int64_t)TCP_KEEPINTVL},
    {"TCP_LINGER2", (int64_t)TCP_LINGER2}, {"TCP_MAXSEG", (int64_t)TCP_MAXSEG}, {"TCP_NODELAY", (int64_t)TCP_NODELAY},
    {"TCP_NOTSENT_LOWAT", (int64_t)TCP_NOTSENT_LOWAT}, {"TCP_QUICKACK", (int64_t)TCP_QUICKACK},
    {"TCP_SYNCNT", (int64_t)TCP_SYNCNT}, {"TCP_USER_TIMEOUT", (int64_t)TCP_USER_TIMEOUT},
    {"TCP_WINDOW_CLAMP", (int64_t)TCP_WINDOW_CLAMP}, {"TIPC_ADDR_ID", (int64_t)TIPC_ADDR_ID},
    {"TIPC_ADDR_NAME", (int64_t)TIPC_ADDR_NAME}, {"TIPC_ADDR_NAMESEQ", (int64_t)TIPC_ADDR_NAMESEQ},
    {"TIPC_CFG_SRV", (int64_t)TIPC_CFG_SRV}, {"TIPC_CLUSTER_SCOPE", (int64_t)TIPC_CLUSTER_SCOPE},
    {"TIPC_CONN_TIMEOUT", (int64_t)TIPC_CONN_TIMEOUT},
    {"TIPC_CRITICAL_IMPORTANCE", (int64_t)TIPC_CRITICAL_IMPORTANCE},
    {"TIPC_DEST_DROPPABLE", (int64_t)TIPC_DEST_DROPPABLE}, {"TIPC_HIGH_IMPORTANCE", (int64_t)TIPC_HIGH_IMPORTANCE},
    {"TIPC_IMPORTANCE", (int64_t)TIPC_IMPORTANCE}, {"TIPC_LOW_IMPORTANCE", (int64_t)TIPC_LOW_IMPORTANCE},
    {"TIPC_MEDIUM_IMPORTANCE", (int64_t)TIPC_MEDIUM_IMPORTANCE}, {"TIPC_NODE_SCOPE", (int64_t)TIPC_NODE_SCOPE},
    {"TIPC_PUBLISHED", (int64_t)TIPC_PUBLISHED}, {"TIPC_SRC_DROPPABLE", (int64_t)TIPC_SRC_DROPPABLE},
    {"TIPC_SUBSCR_TIMEOUT", (int64_t)TIPC_SUBSCR_TIMEOUT}, {"TIPC_SUB_CANCEL", (int64_t)TIPC_SUB_CANCEL},
    {"TIPC_SUB_PORTS", (int64_t)TIPC_SUB_PORTS}, {"TIPC_SUB_SERVICE", (int64_t)TIPC_SUB_SERVICE},
    {"TIPC_TOP_SRV", (int64_t)TIPC_TOP_SRV}, {"TIPC_WAIT_FOREVER", (int64_t)TIPC_WAIT_FOREVER},
    {"TIPC_WITHDRAWN", (int64_t)TIPC_WITHDRAWN}, {"TIPC_ZONE_SCOPE", (int64_t)TIPC_ZONE_SCOPE},
    {"VMADDR_CID_ANY", (int64_t)VMADDR_CID_ANY}, {"VMADDR_CID_HOST", (int64_t)VMADDR_CID_HOST},
    {"VMADDR_PORT_ANY", (int64_t)VMADDR_PORT_ANY},
    {"VM_SOCKETS_INVALID_VERSION", (int64_t)VM_SOCKETS_INVALID_VERSION},
};

static Value subclass_of_oserror(const char *name) {
    Value bases = tuple_pack(1, V_OF(&exc_OSError)), dict = dict_new(), n = str_from_c(name), module = str_from_c("socket"), t = ABSENT;
    if (bases != ABSENT && dict != ABSENT && n != ABSENT && module != ABSENT && dict_set_str(dict, "__module__", module) == 0)
        t = type_new(&type_type, n, bases, dict, NULL, ABSENT);
    release(bases);
    release(dict);
    release(n);
    release(module);
    return t;
}

static int fill(Value m) {
    sock_gaierror_type = subclass_of_oserror("gaierror");
    sock_herror_type = subclass_of_oserror("herror");
    if (sock_gaierror_type == ABSENT || sock_herror_type == ABSENT)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(constants); i++)
        if (module_add_int(m, constants[i].name, constants[i].value) < 0)
            return -1;
    return module_add(m, "has_ipv6", V_TRUE) < 0 || module_add(m, "error", V_OF(&exc_OSError)) < 0 ||
                   module_add(m, "timeout", V_OF(&exc_TimeoutError)) < 0 || module_add(m, "gaierror", retained(sock_gaierror_type)) < 0 ||
                   module_add(m, "herror", retained(sock_herror_type)) < 0 || sock_type_init(m) < 0
               ? -1
               : 0;
}

const ModuleSpec module__socket = {
    .name = "_socket", .doc = "Implementation module for socket operations.", .functions = sock_functions, .exec = fill};
