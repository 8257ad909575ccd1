/* What the files of the _io module share.
 *
 * Every stream object has an IoLock: recursive, held across calls to the stream below, waiting detached. It keeps C
 * state consistent when several threads use one stream; a buffered stream refuses to be re-entered by the thread that
 * holds it, a text stream allows it. What a thread held that a fork left behind is free in the child. Who ends the
 * process waits for nobody: other threads may have been stopped with the lock held.
 */
#ifndef POLYGIL_IO_H
#define POLYGIL_IO_H

#include "mutex.h"
#include "object/bytes.h"
#include "object/list.h"
#include "object/module.h"
#include "object/native.h"
#include "object/object.h"
#include "object/str.h"
#include "object/tuple.h"

typedef struct IoLock {
    Mutex mutex;
    _Atomic(uint64_t) owner; /* serial of the holding thread, 0: free */
    _Atomic(uint32_t) forks; /* thread_forks when it was last taken */
    uint32_t depth;
} IoLock;

void io_lock_init(IoLock *l);
/* Buffered streams: false with RuntimeError "reentrant call inside ..." when this thread holds it already. */
bool io_lock_enter(IoLock *l, Value self);
void io_lock_enter_again(IoLock *l);
void io_lock_leave(IoLock *l);

extern Type iobase_type, rawiobase_type, bufferediobase_type, textiobase_type, fileio_type, bytesio_type, stringio_type,
    buffered_reader_type, buffered_writer_type, buffered_random_type, buffered_rwpair_type, textiowrapper_type,
    newline_decoder_type;

#define IO_BUFFER_SIZE 8192

typedef struct IoBase {
    Object hdr;
    _Atomic(bool) closed; /* of IOBase's own; subclasses may answer otherwise */
} IoBase;

typedef struct FileIO {
    Object hdr;
    _Atomic(int) fd; /* -1: closed */
    bool created, readable, writable, appending, closefd;
    _Atomic(int) seekable; /* -1: not known */
} FileIO;

/* io.UnsupportedOperation: owned by the module, immortal. */
extern Value io_unsupported_type;
Value io_unsupported(const char *what);
/* Raises ValueError when self.closed is true. */
int io_check_closed(Value self);
int io_is_closed(Value self); /* attribute `closed`: 1, 0, -1 */
Value io_call(Value self, const char *method);
Value io_call1(Value self, const char *method, Value arg);
/* Retries after EINTR having run signal handlers; n or -1 with OSError, -2 when it would block. */
ssize_t io_read_fd(int fd, void *buf, size_t n);
ssize_t io_write_fd(int fd, const void *buf, size_t n);
/* A size argument: None and ABSENT are -1. */
int io_size_arg(Value v, intptr_t *out);
Value fileio_readall(Value self);

int io_base_init(Value module);
int io_file_init(Value module);
int io_bytes_init(Value module);
int io_string_init(Value module);
int io_buffered_init(Value module);
int io_text_init(Value module);
int io_newline_init(Value module);

/* Incremental newline translation (io_newline.c). seen: bits of NL_*; pending_cr: a CR that may begin CRLF was held
 * back. */
enum { NL_CR = 1, NL_LF = 2, NL_CRLF = 4 };
typedef struct Newlines {
    uint32_t seen;
    bool pending_cr;
} Newlines;
/* Steals text; universal newlines become LF when translate; counts what it saw. final: nothing is held back. */
Value newlines_decode(Newlines *n, Value text, bool translate, bool final);
Value newlines_seen(uint32_t seen); /* None, a str or a tuple */

#endif
