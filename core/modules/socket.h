/* What the files of the _socket module share. */
#ifndef POLYGIL_SOCKET_H
#define POLYGIL_SOCKET_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "posix.h"

typedef union SockAddr {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
    struct sockaddr_storage storage;
} SockAddr;

/* The Python form of an address (owned), and back. family: of the socket. 0, -1. */
Value sockaddr_to_value(const SockAddr *a, socklen_t len);
int sockaddr_from_value(int family, Value v, SockAddr *a, socklen_t *len, const char *function);
/* Host name to the first address of family; blocks detached. 0, -1 with gaierror. */
int sock_resolve(const char *name, int family, SockAddr *a, socklen_t *len);
Value sock_gaierror(int code, int e);
extern Value sock_gaierror_type, sock_herror_type;
int64_t sock_now_ns(void);
/* setdefaulttimeout: nanoseconds, -1 none. */
extern _Atomic(int64_t) sock_default_timeout;
int sock_timeout_arg(Value v, int64_t *ns);
Value sock_timeout_value(int64_t ns);
Value sock_wrap(int fd, int family, int type, int proto); /* closes fd on failure */

extern const NativeDef sock_functions[];
int sock_type_init(Value module);

#endif
