/* posix: stat and directories. */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "object/float.h"
#include "posix.h"

static Type stat_result_type, statvfs_result_type, dir_entry_type, scandir_type;
Type posix_terminal_size_type;

static const StructSeqField stat_fields[] = {
    {"st_mode", "protection bits"},
    {"st_ino", "inode"},
    {"st_dev", "device"},
    {"st_nlink", "number of hard links"},
    {"st_uid", "user ID of owner"},
    {"st_gid", "group ID of owner"},
    {"st_size", "total size, in bytes"},
    {structseq_unnamed, "integer time of last access"},
    {structseq_unnamed, "integer time of last modification"},
    {structseq_unnamed, "integer time of last change"},
    {"st_atime", "time of last access"},
    {"st_mtime", "time of last modification"},
    {"st_ctime", "time of last change"},
    {"st_atime_ns", "time of last access in nanoseconds"},
    {"st_mtime_ns", "time of last modification in nanoseconds"},
    {"st_ctime_ns", "time of last change in nanoseconds"},
    {"st_blksize", "blocksize for filesystem I/O"},
    {"st_blocks", "number of blocks allocated"},
    {"st_rdev", "device type (if inode device)"},
    {NULL, NULL},
};
static const StructSeqField statvfs_fields[] = {{"f_bsize", NULL},   {"f_frsize", NULL}, {"f_blocks", NULL},
                                                {"f_bfree", NULL},   {"f_bavail", NULL}, {"f_files", NULL},
                                                {"f_ffree", NULL},   {"f_favail", NULL}, {"f_flag", NULL},
                                                {"f_namemax", NULL}, {"f_fsid", NULL},   {NULL, NULL}};
static const StructSeqField terminal_size_fields[] = {{"columns", "width of the terminal window in characters"},
                                                      {"lines", "height of the terminal window in characters"},
                                                      {NULL, NULL}};

static Value seconds(const struct timespec *ts) {
    return float_new((double)ts->tv_sec + 1e-9 * (double)ts->tv_nsec);
}
static Value nanoseconds(const struct timespec *ts) {
    return int_from_i64((int64_t)ts->tv_sec * 1000000000 + ts->tv_nsec);
}

static Value stat_result(const struct stat *st) {
    Value v[] = {
        v_from_int(st->st_mode),
        int_from_u64(st->st_ino),
        int_from_u64(st->st_dev),
        int_from_u64(st->st_nlink),
        v_from_int(st->st_uid),
        v_from_int(st->st_gid),
        int_from_i64(st->st_size),
        int_from_i64(st->st_atim.tv_sec),
        int_from_i64(st->st_mtim.tv_sec),
        int_from_i64(st->st_ctim.tv_sec),
        seconds(&st->st_atim),
        seconds(&st->st_mtim),
        seconds(&st->st_ctim),
        nanoseconds(&st->st_atim),
        nanoseconds(&st->st_mtim),
        nanoseconds(&st->st_ctim),
        v_from_int(st->st_blksize),
        int_from_i64(st->st_blocks),
        int_from_u64(st->st_rdev),
    };
    return structseq_new(&stat_result_type, v, ARRAY_LEN(v));
}

static Value do_stat(Value path, Value dir_fd, bool follow, const char *name) {
    Path p;
    struct stat st;
    int r, e, at;
    if (dir_fd_arg(dir_fd, &at) < 0 || path_arg(path, &p, name, true, false) < 0)
        return ABSENT;
    BLOCKING_CALL(r, e, p.s ? fstatat(at, p.s, &st, follow ? 0 : AT_SYMLINK_NOFOLLOW) : fstat(p.fd, &st))
    if (r < 0)
        return path_error(&p, e);
    path_free(&p);
    return stat_result(&st);
interrupted:
    path_free(&p);
    return ABSENT;
}
static Value posix_stat(Value self, Value *args, intptr_t nargs, Value kw) {
    int follow = bool_arg(arg_at(args, nargs, 2), 1);
    return follow < 0 ? ABSENT : do_stat(args[0], arg_at(args, nargs, 1), follow, "stat");
}
static Value posix_lstat(Value self, Value *args, intptr_t nargs, Value kw) {
    return do_stat(args[0], arg_at(args, nargs, 1), false, "lstat");
}
static Value posix_fstat(Value self, Value *args, intptr_t nargs, Value kw) {
    int fd, r, e;
    struct stat st;
    if (num_as_int(args[0], &fd) < 0)
        return ABSENT;
    BLOCKING_CALL(r, e, fstat(fd, &st))
    if (r < 0) {
        errno = e;
        return err_errno();
    }
    return stat_result(&st);
interrupted:
    return ABSENT;
}

static Value statvfs_result(const struct statvfs *s) {
    Value v[] = {int_from_u64(s->f_bsize),   int_from_u64(s->f_frsize), int_from_u64(s->f_blocks),
                 int_from_u64(s->f_bfree),   int_from_u64(s->f_bavail), int_from_u64(s->f_files),
                 int_from_u64(s->f_ffree),   int_from_u64(s->f_favail), int_from_u64(s->f_flag),
                 int_from_u64(s->f_namemax), int_from_u64(s->f_fsid)};
    return structseq_new(&statvfs_result_type, v, ARRAY_LEN(v));
}
static Value posix_statvfs(Value self, Value *args, intptr_t nargs, Value kw) {
    Path p;
    struct statvfs s;
    int r, e;
    if (path_arg(args[0], &p, "statvfs", true, false) < 0)
        return ABSENT;
    BLOCKING_CALL(r, e, p.s ? statvfs(p.s, &s) : fstatvfs(p.fd, &s))
    if (r < 0)
        return path_error(&p, e);
    path_free(&p);
    return statvfs_result(&s);
interrupted:
    path_free(&p);
    return ABSENT;
}

/* ---- directories ---- */

static DIR *open_dir(Path *p, int *e) {
    DIR *d;
    DETACHED_BEGIN
    if (p->s) {
        d = opendir(p->s);
    } else {
        int fd = fcntl(p->fd, F_DUPFD_CLOEXEC, 0);
        d = fd < 0 ? NULL : fdopendir(fd);
        if (!d && fd >= 0) {
            *e = errno;
            close(fd);
            errno = *e;
        }
        if (d)
            rewinddir(d);
    }
    *e = errno;
    DETACHED_END
    return d;
}
static bool is_dots(const char *n) {
    return n[0] == '.' && (!n[1] || (n[1] == '.' && !n[2]));
}

static Value posix_listdir(Value self, Value *args, intptr_t nargs, Value kw) {
    Path p;
    int e;
    if (path_arg(arg_at(args, nargs, 0), &p, "listdir", true, true) < 0)
        return ABSENT;
    DIR *d = open_dir(&p, &e);
    if (!d)
        return path_error(&p, e);
    Value list = list_new(0);
    while (list != ABSENT) {
        struct dirent *ent;
        DETACHED_BEGIN
        errno = 0;
        ent = readdir(d);
        e = errno;
        DETACHED_END
        if (!ent) {
            if (e) {
                path_error(&p, e);
                release(list);
                list = ABSENT;
            }
            break;
        }
        if (is_dots(ent->d_name))
            continue;
        Value name = path_result(ent->d_name, strlen(ent->d_name), p.was_bytes);
        if (name == ABSENT || list_append_steal(list, name) < 0) {
            release(list);
            list = ABSENT;
        }
    }
    closedir(d);
    path_free(&p);
    return list;
}

typedef struct ScanDir {
    Object hdr;
    Ref path;           /* as given, or "." */
    _Atomic(DIR *) dir; /* NULL: exhausted or closed; taken by exchange while in use */
    bool as_bytes, by_fd;
    int fd;
} ScanDir;
typedef struct DirEntry {
    Object hdr;
    Ref name, path, stat, lstat;
    int dir_fd; /* -1: by path */
    uint8_t type;
    ino_t ino;
} DirEntry;

static void scandir_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&((ScanDir *)self)->path), arg);
}
static void scandir_clear(Value self) {
    ref_clear(self, &((ScanDir *)self)->path);
}
static void scandir_fini(Value self) {
    DIR *d = LOAD_RELAXED(&((ScanDir *)self)->dir);
    if (d)
        closedir(d);
}
static const TypeOps scandir_ops = {scandir_traverse, scandir_clear, scandir_fini};
static void entry_traverse(Value self, VisitFn visit, void *arg) {
    DirEntry *d = (DirEntry *)self;
    visit(ref_peek(&d->name), arg);
    visit(ref_peek(&d->path), arg);
    visit(ref_peek(&d->stat), arg);
    visit(ref_peek(&d->lstat), arg);
}
static void entry_clear(Value self) {
    DirEntry *d = (DirEntry *)self;
    ref_clear(self, &d->name);
    ref_clear(self, &d->path);
    ref_clear(self, &d->stat);
    ref_clear(self, &d->lstat);
}
static const TypeOps entry_ops = {entry_traverse, entry_clear, NULL};

static Value posix_scandir(Value self, Value *args, intptr_t nargs, Value kw) {
    Path p;
    int e;
    if (path_arg(arg_at(args, nargs, 0), &p, "scandir", true, true) < 0)
        return ABSENT;
    DIR *d = open_dir(&p, &e);
    if (!d)
        return path_error(&p, e);
    Value it = obj_new(&scandir_type), path = ABSENT;
    if (it != ABSENT) {
        if (p.bytes != ABSENT)
            path = path_result(p.s, strlen(p.s), p.was_bytes);
        else if (p.s)
            path = str_from_c(p.s);
        if (path == ABSENT && err_pending()) {
            release(it);
            it = ABSENT;
        }
    }
    if (it == ABSENT) {
        closedir(d);
    } else {
        ScanDir *s = (ScanDir *)it;
        ref_init(&s->path, path);
        STORE_RELAXED(&s->dir, d);
        s->as_bytes = p.was_bytes;
        s->by_fd = !p.s;
        s->fd = p.fd;
        trace_track(v_obj(it));
    }
    path_free(&p);
    return it;
}
static Value scandir_close(Value self, Value *args, intptr_t nargs, Value kw) {
    DIR *d = atomic_exchange(&((ScanDir *)self)->dir, NULL);
    if (d)
        closedir(d);
    return V_NONE;
}
static Value scandir_next(Value self, Value *args, intptr_t nargs, Value kw) {
    ScanDir *s = (ScanDir *)self;
    DIR *d = atomic_exchange(&s->dir, NULL);
    if (!d)
        return err_set_none(&exc_StopIteration);
    struct dirent *ent;
    int e;
    do {
        DETACHED_BEGIN
        errno = 0;
        ent = readdir(d);
        e = errno;
        DETACHED_END
    } while (ent && is_dots(ent->d_name));
    if (!ent) {
        closedir(d);
        errno = e;
        return e ? err_errno() : err_set_none(&exc_StopIteration);
    }
    Value entry = obj_new(&dir_entry_type);
    if (entry == ABSENT)
        goto fail;
    DirEntry *de = (DirEntry *)entry;
    Value name = path_result(ent->d_name, strlen(ent->d_name), s->as_bytes), path = ABSENT;
    if (name == ABSENT)
        goto fail;
    ref_init(&de->name, name);
    Value base = ref_peek(&s->path);
    if (base == ABSENT) {
        path = retained(name);
    } else {
        Value raw = s->as_bytes ? retained(base) : str_encode_fs(base);
        if (raw == ABSENT)
            goto fail;
        size_t n = (size_t)bytes_len(raw), m = strlen(ent->d_name);
        char *full = malloc(n + m + 2);
        if (full) {
            memcpy(full, bytes_data(raw), n);
            if (n && full[n - 1] != '/')
                full[n++] = '/';
            memcpy(full + n, ent->d_name, m + 1);
            path = path_result(full, n + m, s->as_bytes);
            free(full);
        } else {
            err_no_memory();
        }
        release(raw);
    }
    if (path == ABSENT)
        goto fail;
    ref_init(&de->path, path);
    de->dir_fd = s->by_fd ? s->fd : -1;
    de->type = ent->d_type;
    de->ino = ent->d_ino;
    trace_track(v_obj(entry));
    STORE_RELAXED(&s->dir, d);
    return entry;
fail:
    release(entry);
    STORE_RELAXED(&s->dir, d);
    return ABSENT;
}
static Value self_method(Value self, Value *args, intptr_t nargs, Value kw) {
    return retained(self);
}
static Value scandir_exit(Value self, Value *args, intptr_t nargs, Value kw) {
    return scandir_close(self, NULL, 0, ABSENT);
}
static Value scandir_del(Value self, Value *args, intptr_t nargs, Value kw) {
    if (LOAD_RELAXED(&((ScanDir *)self)->dir)) {
        if (err_warn(&exc_ResourceWarning, 1, "unclosed scandir iterator %R", self) < 0)
            err_unraisable("", self);
        scandir_close(self, NULL, 0, ABSENT);
    }
    return V_NONE;
}

static Value entry_stat_value(Value self, bool follow) {
    DirEntry *d = (DirEntry *)self;
    Ref *cache = follow ? &d->stat : &d->lstat;
    ExclCs cs;
    excl_read_begin(&cs, self);
    Value st = ref_load(self, cache);
    excl_read_end(&cs);
    if (st != ABSENT)
        return st;
    st = d->dir_fd >= 0 ? do_stat(ref_peek(&d->name), v_from_int(d->dir_fd), follow, "stat")
                        : do_stat(ref_peek(&d->path), V_NONE, follow, "stat");
    if (st == ABSENT)
        return ABSENT;
    Value old = ABSENT;
    excl_cs_begin(&cs, self);
    old = ref_swap(self, cache, retained(st));
    excl_cs_end(&cs);
    release(old);
    return st;
}
static Value entry_stat(Value self, Value *args, intptr_t nargs, Value kw) {
    int follow = bool_arg(arg_at(args, nargs, 0), 1);
    return follow < 0 ? ABSENT : entry_stat_value(self, follow);
}
/* 1, 0, -1: whether the entry is of kind mode (S_IFDIR ...). */
static int entry_is(Value self, bool follow, mode_t mode) {
    DirEntry *d = (DirEntry *)self;
    if (d->type != DT_UNKNOWN && !(follow && d->type == DT_LNK)) {
        return mode == S_IFDIR ? d->type == DT_DIR : mode == S_IFREG ? d->type == DT_REG : d->type == DT_LNK;
    }
    Value st = entry_stat_value(self, follow);
    if (st == ABSENT) {
        if (err_matches(&exc_FileNotFoundError)) {
            err_clear();
            return 0;
        }
        return -1;
    }
    bool yes = ((mode_t)v_int(tuple_get(st, 0)) & S_IFMT) == mode;
    release(st);
    return yes;
}
static Value entry_test(Value self, int follow, mode_t mode) {
    int r = follow < 0 ? -1 : entry_is(self, follow, mode);
    return r < 0 ? ABSENT : v_bool(r);
}
static Value entry_is_dir(Value self, Value *args, intptr_t nargs, Value kw) {
    return entry_test(self, bool_arg(arg_at(args, nargs, 0), 1), S_IFDIR);
}
static Value entry_is_file(Value self, Value *args, intptr_t nargs, Value kw) {
    return entry_test(self, bool_arg(arg_at(args, nargs, 0), 1), S_IFREG);
}
static Value entry_is_symlink(Value self, Value *args, intptr_t nargs, Value kw) {
    return entry_test(self, 0, S_IFLNK);
}
static Value entry_inode(Value self, Value *args, intptr_t nargs, Value kw) {
    return int_from_u64(((DirEntry *)self)->ino);
}
static Value entry_fspath(Value self, Value *args, intptr_t nargs, Value kw) {
    return retained(ref_peek(&((DirEntry *)self)->path));
}
static Value entry_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    return str_format_c("<DirEntry %R>", ref_peek(&((DirEntry *)self)->name));
}

static const NativeDef scandir_methods[] = {{"__iter__", self_method, "($self, /)"},
                                            {"__next__", scandir_next, "($self, /)"},
                                            {"__enter__", self_method, "($self, /)"},
                                            {"__exit__", scandir_exit, "($self, /, *args)"},
                                            {"__del__", scandir_del, "($self, /)"},
                                            {"close", scandir_close, "($self, /)"},
                                            {NULL}};
static const NativeDef entry_methods[] = {{"stat", entry_stat, "($self, /, *, follow_symlinks=True)"},
                                          {"is_dir", entry_is_dir, "($self, /, *, follow_symlinks=True)"},
                                          {"is_file", entry_is_file, "($self, /, *, follow_symlinks=True)"},
                                          {"is_symlink", entry_is_symlink, "($self, /)"},
                                          {"inode", entry_inode, "($self, /)"},
                                          {"__fspath__", entry_fspath, "($self, /)"},
                                          {"__repr__", entry_repr, "($self, /)"},
                                          CLASS_GETITEM_DEF,
                                          {NULL}};
static const MemberDef entry_members[] = {
    {"name", MK_REF | MK_READONLY, offsetof(DirEntry, name), "the entry's base filename"},
    {"path", MK_REF | MK_READONLY, offsetof(DirEntry, path), "the entry's full path name"},
    {NULL}};

static Value posix_fspath(Value self, Value *args, intptr_t nargs, Value kw) {
    return os_fspath(args[0]);
}

/* os.path.normpath for str. */
static Value posix_normpath(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_str(args[0]))
        return err_set(&exc_TypeError, "_path_normpath() argument 'path' must be str, not %T", args[0]);
    Value raw = str_encode(args[0], "utf-8", "surrogatepass");
    if (raw == ABSENT)
        return ABSENT;
    const char *s = bytes_data(raw);
    size_t n = (size_t)bytes_len(raw), k = 0, root = 0;
    char *out = malloc(n + 2);
    if (!out) {
        release(raw);
        return err_no_memory();
    }
    if (n && s[0] == '/') {
        root = n >= 2 && s[1] == '/' && !(n >= 3 && s[2] == '/') ? 2 : 1;
        memset(out, '/', root);
        k = root;
    }
    for (size_t i = 0; i < n;) {
        while (i < n && s[i] == '/')
            i++;
        size_t start = i;
        while (i < n && s[i] != '/')
            i++;
        size_t len = i - start;
        if (len == 0 || (len == 1 && s[start] == '.'))
            continue;
        if (len == 2 && s[start] == '.' && s[start + 1] == '.') {
            /* Drop the last component unless it is itself ".." or there is none. */
            size_t b = k;
            while (b > root && out[b - 1] != '/')
                b--;
            bool last_up = k - b == 2 && out[b] == '.' && out[b + 1] == '.';
            if (k > root && !last_up) {
                k = b > root ? b - 1 : b;
                continue;
            }
            if (root)
                continue;
        }
        if (k > root)
            out[k++] = '/';
        memcpy(out + k, s + start, len);
        k += len;
    }
    if (k == 0)
        out[k++] = '.';
    Value tmp = bytes_from(out, k), r = tmp == ABSENT ? ABSENT : bytes_decode(tmp, "utf-8", "surrogatepass");
    release(tmp);
    free(out);
    release(raw);
    return r;
}

const NativeDef posix_dir_functions[] = {
    {"stat", posix_stat, "($module, /, path, *, dir_fd=None, follow_symlinks=True)"},
    {"lstat", posix_lstat, "($module, /, path, *, dir_fd=None)"},
    {"fstat", posix_fstat, "($module, /, fd)"},
    {"statvfs", posix_statvfs, "($module, /, path)"},
    {"fstatvfs", posix_statvfs, "($module, /, fd)"},
    {"listdir", posix_listdir, "($module, /, path=None)"},
    {"scandir", posix_scandir, "($module, /, path=None)"},
    {"fspath", posix_fspath, "($module, /, path)"},
    {"_path_normpath", posix_normpath, "($module, /, path)"},
    {NULL},
};

int posix_dir_init(Value m) {
    static const TypeSpec scandir_spec = {.name = "posix.ScandirIterator",
                                          .basic_size = sizeof(ScanDir),
                                          .flags = TF_NO_NEW | TF_FINALIZER,
                                          .ops = &scandir_ops,
                                          .methods = scandir_methods};
    static const TypeSpec entry_spec = {.name = "posix.DirEntry",
                                        .basic_size = sizeof(DirEntry),
                                        .flags = TF_NO_NEW,
                                        .ops = &entry_ops,
                                        .methods = entry_methods,
                                        .members = entry_members};
    type_init_module_type(&scandir_type, &scandir_spec);
    type_init_module_type(&dir_entry_type, &entry_spec);
    structseq_init(&stat_result_type, "os.stat_result", "stat_result: Result from stat, fstat, or lstat.", stat_fields,
                   10);
    structseq_init(&statvfs_result_type, "os.statvfs_result", "statvfs_result: Result from statvfs or fstatvfs.",
                   statvfs_fields, 10);
    structseq_init(&posix_terminal_size_type, "os.terminal_size",
                   "A tuple of (columns, lines) for holding terminal window size", terminal_size_fields, 2);
    return module_add(m, "DirEntry", V_OF(&dir_entry_type)) < 0 ||
                   module_add(m, "stat_result", V_OF(&stat_result_type)) < 0 ||
                   module_add(m, "statvfs_result", V_OF(&statvfs_result_type)) < 0 ||
                   module_add(m, "terminal_size", V_OF(&posix_terminal_size_type)) < 0
               ? -1
               : 0;
}
