/* builtins: the functions that every program sees. */
#include "front/arena.h"
#include "front/compile.h"
#include "interp/asyncgen.h"
#include "interp/frame.h"
#include "interp/function.h"
#include "interp/interp.h"
#include "modules/sys_impl.h"
#include "object/bytes.h"
#include "object/dict.h"
#include "object/exc.h"
#include "object/float.h"
#include "object/int.h"
#include "object/iter.h"
#include "object/list.h"
#include "object/module.h"
#include "object/native.h"
#include "object/path.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/type_build.h"
#include "runtime/import.h"

#define FN(name) static Value name(Value self, Value *args, intptr_t nargs, Value kw)
#define ARG(i) arg_at(args, nargs, (i))

/* ---- classes, attributes ---- */

FN(b_build_class) {
    if (nargs < 2)
        return err_set(&exc_TypeError, "__build_class__: not enough arguments");
    if (!v_is_function(args[0]))
        return err_set(&exc_TypeError, "__build_class__: func must be a function");
    if (!v_is_str(args[1]))
        return err_set(&exc_TypeError, "__build_class__: name is not a string");
    return type_build_class(args[0], args[1], args + 2, nargs - 2, args + nargs, kw);
}
FN(b_getattr) {
    if (!v_is_str(args[1]))
        return err_set(&exc_TypeError, "attribute name must be string, not '%T'", args[1]);
    if (nargs < 3)
        return obj_getattr(args[0], args[1]);
    Value v;
    int r = obj_lookup_attr(args[0], args[1], &v);
    return r < 0 ? ABSENT : r > 0 ? v : retained(args[2]);
}
FN(b_setattr) {
    return obj_setattr(args[0], args[1], args[2]) < 0 ? ABSENT : V_NONE;
}
FN(b_delattr) {
    return obj_setattr(args[0], args[1], ABSENT) < 0 ? ABSENT : V_NONE;
}
FN(b_hasattr) {
    if (!v_is_str(args[1]))
        return err_set(&exc_TypeError, "attribute name must be string, not '%T'", args[1]);
    Value v;
    int r = obj_lookup_attr(args[0], args[1], &v);
    if (r > 0)
        release(v);
    return r < 0 ? ABSENT : v_bool(r);
}
FN(b_isinstance) {
    int r = obj_isinstance(args[0], args[1]);
    return r < 0 ? ABSENT : v_bool(r);
}
FN(b_issubclass) {
    int r = obj_issubclass(args[0], args[1]);
    return r < 0 ? ABSENT : v_bool(r);
}
FN(b_callable) {
    return v_bool(v_is_callable(args[0]));
}
FN(b_id) {
    return int_from_u64(obj_id(args[0]));
}
FN(b_hash) {
    int64_t h = obj_hash(args[0]);
    return h == -1 ? ABSENT : int_from_i64(h);
}
FN(b_vars) {
    if (nargs == 0)
        return current_locals();
    Value d;
    int r = obj_lookup_attr(args[0], ID("__dict__"), &d);
    if (r == 0)
        return err_set(&exc_TypeError, "vars() argument must have __dict__ attribute");
    return r < 0 ? ABSENT : d;
}
FN(b_dir) {
    if (nargs > 0)
        return obj_dir(args[0]);
    Value l = current_locals();
    if (!l)
        return ABSENT;
    Value keys = obj_call_method(l, ID("keys"), NULL, 0);
    Value list = keys ? seq_to_list(keys) : ABSENT;
    release(keys);
    release(l);
    if (list && list_sort(list) < 0) {
        release(list);
        return ABSENT;
    }
    return list;
}
FN(b_globals) {
    Value g = current_globals();
    return g ? retained(g) : err_set(&exc_SystemError, "frame does not exist");
}
FN(b_locals) {
    return current_locals();
}

/* ---- numbers ---- */

FN(b_abs) {
    return num_unary(SP_ABS, args[0]);
}
FN(b_divmod) {
    return num_binary(SP_DIVMOD, args[0], args[1]);
}
FN(b_pow) {
    return num_power(args[0], args[1], ARG(2));
}
FN(b_round) {
    Value r;
    if (ARG(1) && args[1] != V_NONE) {
        Value a[] = {args[1]};
        r = obj_call_special(args[0], SP_ROUND, a, 1);
    } else
        r = obj_call_special(args[0], SP_ROUND, NULL, 0);
    return r == V_MARK ? err_set(&exc_TypeError, "type %T doesn't define __round__ method", args[0]) : r;
}
static Value in_base(Value v, int base) {
    Value i = num_index(v);
    Value r = i ? int_to_str(i, base, true) : ABSENT;
    release(i);
    return r;
}
FN(b_bin) {
    return in_base(args[0], 2);
}
FN(b_oct) {
    return in_base(args[0], 8);
}
FN(b_hex) {
    return in_base(args[0], 16);
}
FN(b_chr) {
    Value i = num_index(args[0]);
    if (!i)
        return ABSENT;
    int64_t c;
    int big = int_to_i64(i, &c);
    release(i);
    if (big || c > INT_MAX || c < INT_MIN)
        return err_set(&exc_OverflowError, "Python int too large to convert to C int");
    if (c < 0 || c > 0x10ffff)
        return err_set(&exc_ValueError, "chr() arg not in range(0x110000)");
    return str_from_char((uint32_t)c);
}
FN(b_ord) {
    Value v = args[0];
    intptr_t n;
    if (v_is_str(v)) {
        n = str_len(v);
        if (n == 1)
            return v_from_int(str_at(v, 0));
    } else if (v_is_bytes(v) || type_is_subtype(type_of(v), &bytearray_type)) {
        Buffer b;
        if (buffer_get(v, &b, false) < 0)
            return ABSENT;
        n = b.len;
        int c = n == 1 ? (unsigned char)b.data[0] : 0;
        buffer_release(&b);
        if (n == 1)
            return v_from_int(c);
    } else
        return err_set(&exc_TypeError, "ord() expected string of length 1, but %T found", v);
    return err_set(&exc_TypeError, "ord() expected a character, but string of length %zd found", n);
}

/* Items as long as they are ints or floats are added without looking operators up. */
FN(b_sum) {
    Value start = ARG(1), acc, it, item;
    if (start) {
        if (v_is_str(start))
            return err_set(&exc_TypeError, "sum() can't sum strings [use ''.join(seq) instead]");
        if (v_is_bytes(start))
            return err_set(&exc_TypeError, "sum() can't sum bytes [use b''.join(seq) instead]");
        if (type_is_subtype(type_of(start), &bytearray_type))
            return err_set(&exc_TypeError, "sum() can't sum bytearray [use b''.join(seq) instead]");
    }
    it = obj_iter(args[0]);
    if (!it)
        return ABSENT;
    acc = start ? retained(start) : v_from_int(0);
    unsigned steps = 0;
    NextFn next_fn = iter_next_fn(it);
    while ((item = next_fn ? next_fn(it) : obj_next(it)) != ABSENT) {
        if ((++steps & 1023) == 0 && excl_poll() < 0) {
            release(item);
            release(acc);
            acc = ABSENT;
            break;
        }
        if (v_is_int(acc) && v_is_int(item)) {
            acc = int_from_i64(v_int(acc) + v_int(item)); /* 63 + 63 bits fit 64 */
            continue;
        }
        if (v_is_flo(acc) && (v_is_flo(item) || v_is_int(item))) {
            acc = float_new(v_flo(acc) + (v_is_flo(item) ? v_flo(item) : (double)v_int(item)));
            continue;
        }
        Value next = num_binary(SP_ADD, acc, item);
        release(acc);
        release(item);
        acc = next;
        if (!acc)
            break;
    }
    release(it);
    if (acc && err_pending()) {
        release(acc);
        return ABSENT;
    }
    return acc;
}

static Value extreme(Value *args, intptr_t nargs, Value kw, int op, const char *name) {
    Value key = kw_find(args, nargs, kw, ID("key")), dflt = kw_find(args, nargs, kw, ID("default"));
    if (key == V_NONE)
        key = ABSENT;
    if (nargs == 0)
        return err_set(&exc_TypeError, "%s expected at least 1 argument, got 0", name);
    if (nargs > 1 && dflt)
        return err_set(&exc_TypeError, "Cannot specify a default for %s() with multiple positional arguments", name);
    Value it = nargs == 1 ? obj_iter(args[0]) : ABSENT, best = ABSENT, best_key = ABSENT;
    if (nargs == 1 && !it)
        return ABSENT;
    intptr_t i = 0;
    for (;;) {
        Value item = it ? obj_next(it) : i < nargs ? retained(args[i++]) : ABSENT;
        if (!item) {
            if (it && err_pending())
                goto fail;
            break;
        }
        Value k = key ? obj_call1(key, item) : retained(item);
        if (!k) {
            release(item);
            goto fail;
        }
        int better = 1;
        if (best) {
            if (v_is_int(k) && v_is_int(best_key))
                better = op == CMP_LT ? v_int(k) < v_int(best_key) : v_int(k) > v_int(best_key);
            else
                better = obj_compare_bool(k, best_key, op);
        }
        if (better > 0) {
            Value old = best, old_key = best_key;
            best = item;
            best_key = k;
            release(old);
            release(old_key);
        } else {
            release(item);
            release(k);
            if (better < 0)
                goto fail;
        }
        if (it && excl_poll() < 0)
            goto fail;
    }
    release(it);
    release(best_key);
    if (best)
        return best;
    if (dflt)
        return retained(dflt);
    return err_set(&exc_ValueError, "%s() arg is an empty sequence", name);
fail:
    release(it);
    release(best);
    release(best_key);
    return ABSENT;
}
FN(b_min) {
    return extreme(args, nargs, kw, CMP_LT, "min");
}
FN(b_max) {
    return extreme(args, nargs, kw, CMP_GT, "max");
}

/* ---- iteration ---- */

static Value any_all(Value iterable, int stop) {
    Value it = obj_iter(iterable), v;
    if (!it)
        return ABSENT;
    int r = !stop;
    NextFn next = iter_next_fn(it);
    for (unsigned steps = 1; r == !stop && (v = next ? next(it) : obj_next(it)) != ABSENT; steps++) {
        int t = obj_truth(v);
        release(v);
        if (t < 0 || ((steps & 1023) == 0 && excl_poll() < 0))
            r = -1;
        else if (t == stop)
            r = stop;
    }
    release(it);
    if (r < 0 || err_pending())
        return ABSENT;
    return v_bool(r);
}
FN(b_any) {
    return any_all(args[0], 1);
}
FN(b_all) {
    return any_all(args[0], 0);
}
FN(b_len) {
    intptr_t n = obj_len(args[0]);
    return n < 0 ? ABSENT : int_from_i64(n);
}
FN(b_iter) {
    if (nargs < 2)
        return obj_iter(args[0]);
    if (!v_is_callable(args[0]))
        return err_set(&exc_TypeError, "iter(v, w): v must be callable");
    return call_iter_new(args[0], args[1]);
}
FN(b_next) {
    NextFn fn = iter_next_fn(args[0]);
    Value v = fn ? fn(args[0]) : obj_call_special(args[0], SP_NEXT, NULL, 0);
    if (v == V_MARK)
        return err_set(&exc_TypeError, "'%T' object is not an iterator", args[0]);
    if (v)
        return v;
    if (err_pending()) {
        if (nargs < 2 || !err_matches(&exc_StopIteration))
            return ABSENT;
        err_clear();
    }
    return nargs > 1 ? retained(args[1]) : err_set_none(&exc_StopIteration);
}
FN(b_aiter) {
    Value r = obj_call_special(args[0], SP_AITER, NULL, 0);
    if (r == V_MARK)
        return err_set(&exc_TypeError, "'%T' object is not an async iterable", args[0]);
    if (r && !type_special(type_of(r), SP_ANEXT)) {
        err_set(&exc_TypeError, "aiter() returned not an async iterator of type '%T'", r);
        release(r);
        return ABSENT;
    }
    return r;
}
FN(b_anext) {
    Value r = obj_call_special(args[0], SP_ANEXT, NULL, 0);
    if (r == V_MARK)
        return err_set(&exc_TypeError, "'%T' object is not an async iterator", args[0]);
    if (!r || nargs < 2)
        return r;
    Value w = asyncgen_anext_default(r, args[1]);
    release(r);
    return w;
}
/* sorted(iterable, /, *, key=None, reverse=False), laid out flat. */
FN(b_sorted) {
    Value key = ARG(1), reverse = ARG(2);
    Value l = seq_to_list(args[0]);
    if (!l)
        return ABSENT;
    if (!key && !reverse) {
        if (list_sort(l) == 0)
            return l;
        release(l);
        return ABSENT;
    }
    Value vals[] = {key ? key : V_NONE, reverse ? reverse : V_FALSE};
    Value names = tuple_pack(2, ID("key"), ID("reverse"));
    Value sort = obj_getattr(l, ID("sort")), r = sort && names ? obj_call(sort, vals, 0, names) : ABSENT;
    release(sort);
    release(names);
    release(r);
    if (!r) {
        release(l);
        return ABSENT;
    }
    return l;
}

/* ---- text and streams ---- */

FN(b_repr) {
    return obj_repr(args[0]);
}
FN(b_ascii) {
    return obj_ascii(args[0]);
}
FN(b_format) {
    Value spec = ARG(1);
    if (spec && !v_is_str(spec))
        return err_set(&exc_TypeError, "format() argument 2 must be str, not %T", spec);
    return obj_format(args[0], spec);
}

static int check_text(Value v, const char *what) {
    if (!v || v == V_NONE || v_is_str(v))
        return 0;
    err_set(&exc_TypeError, "%s must be None or a string, not %T", what, v);
    return -1;
}
static int write_to(Value write, Value text) {
    Value r = obj_call1(write, text);
    release(r);
    return r ? 0 : -1;
}
static int write_str_of(Value write, Value v) {
    Value s = obj_str(v);
    int r = s ? write_to(write, s) : -1;
    release(s);
    return r;
}
FN(b_print) {
    Value sep = kw_find(args, nargs, kw, ID("sep")), end = kw_find(args, nargs, kw, ID("end")),
          file = kw_find(args, nargs, kw, ID("file"));
    Value flush = kw_find(args, nargs, kw, ID("flush"));
    Value own = ABSENT, write = ABSENT, result = ABSENT;
    if (!file || file == V_NONE) {
        own = file = sys_get("stdout");
        if (!file)
            return err_set(&exc_RuntimeError, "lost sys.stdout");
        if (file == V_NONE)
            return V_NONE;
    }
    if (check_text(sep, "sep") < 0 || check_text(end, "end") < 0)
        goto out;
    if (sep == V_NONE)
        sep = ABSENT;
    if (end == V_NONE)
        end = ABSENT;
    write = obj_getattr(file, ID("write"));
    if (!write)
        goto out;
    if (v_is_exact(write, IDX_NATIVE) && nargs > 0) {
        /* Our own streams: the line in one piece. A __str__ that fails has then printed nothing of what came before it:
         * so each is made first, as CPython's order of effects shows only between the pieces of one print. */
        StrBuilder b;
        sb_init(&b);
        intptr_t i = 0;
        for (; i < nargs; i++) {
            Value s = obj_str(args[i]);
            if (!s)
                break;
            if (i > 0) {
                if (sep)
                    sb_str(&b, sep);
                else
                    sb_char(&b, ' ');
            }
            sb_str(&b, s);
            release(s);
        }
        Value e = i < nargs ? err_fetch() : ABSENT;
        if (i == nargs) {
            if (end)
                sb_str(&b, end);
            else
                sb_char(&b, '\n');
        } else if (i > 0) {
            if (sep)
                sb_str(&b, sep);
            else
                sb_char(&b, ' ');
        }
        Value text = sb_finish(&b);
        int r = text ? write_to(write, text) : -1;
        release(text);
        if (e) {
            err_restore(e);
            r = -1;
        }
        if (r < 0)
            goto out;
    } else {
        for (intptr_t i = 0; i < nargs; i++) {
            if (i > 0 && write_to(write, sep ? sep : ID(" ")) < 0)
                goto out;
            if (write_str_of(write, args[i]) < 0)
                goto out;
        }
        if (write_to(write, end ? end : ID("\n")) < 0)
            goto out;
    }
    if (flush) {
        int f = obj_truth(flush);
        if (f < 0)
            goto out;
        if (f) {
            Value r = obj_call_method(file, ID("flush"), NULL, 0);
            release(r);
            if (!r)
                goto out;
        }
    }
    result = V_NONE;
out:
    release(own);
    release(write);
    return result;
}

FN(b_input) {
    return sys_input(ARG(0));
}
FN(b_breakpoint) {
    Value hook = sys_get("breakpointhook");
    if (!hook)
        return err_set(&exc_RuntimeError, "lost sys.breakpointhook");
    Value r = obj_call(hook, args, nargs, kw);
    release(hook);
    return r;
}

/* ---- code ---- */

/* Source text of a str or bytes-like object as a buffer; *hold keeps it. NULL with exception. */
static const char *source_text(Value v, const char *fn, const char *what, size_t *n, Value *hold, bool *is_bytes) {
    *hold = ABSENT;
    *is_bytes = false;
    const char *s;
    if (v_is_str(v)) {
        s = str_utf8(v, n);
        if (!s)
            return NULL;
        *hold = retained(v);
    } else if (v_is_buffer(v)) {
        *hold = bytes_from_object(v);
        if (!*hold)
            return NULL;
        s = bytes_data(*hold);
        *n = (size_t)bytes_len(*hold);
        *is_bytes = true;
    } else {
        err_set(&exc_TypeError, "%s() arg 1 must be a %s object", fn, what);
        return NULL;
    }
    if (memchr(s, 0, *n)) {
        err_set(&exc_ValueError, "source code string cannot contain null bytes");
        release(*hold);
        *hold = ABSENT;
        return NULL;
    }
    return s;
}

enum { FUTURE_FLAGS = 0x1fe0000 | 0x10 /* nested */, ONLY_AST = 0x400, TOP_LEVEL_AWAIT = 0x2000 };

/* Set by module _ast: is it a tree (1, 0, -1); the tree as the parser's; the parser's as Python objects. */
int (*compile_is_ast_hook)(Value);
AstModule *(*compile_ast_in_hook)(Value tree, ParseMode mode, Arena *arena);
Value (*compile_ast_out_hook)(AstModule *m);

static Value compile_text(Value source, const char *fn, const char *what, Value filename, ParseMode mode, int flags,
                          int optimize) {
    size_t n;
    Value hold, r = ABSENT;
    bool is_bytes;
    const char *s = source_text(source, fn, what, &n, &hold, &is_bytes);
    if (!s)
        return ABSENT;
    Arena a;
    arena_init(&a);
    bool only_ast = flags & ONLY_AST;
    flags &= ~ONLY_AST;
    if (is_bytes && !(flags & PARSE_IGNORE_COOKIE) && source_to_utf8(s, n, filename, &a, &s, &n) < 0)
        goto out;
    flags |= PARSE_IGNORE_COOKIE;
    if (only_ast) {
        AstModule *m = parse_source(s, n, filename, mode, flags, &a);
        if (m && compile_ast_out_hook)
            r = compile_ast_out_hook(m);
        else if (m)
            err_set(&exc_SystemError, "module _ast is not there");
    } else
        r = compile_source(s, n, filename, mode, flags, optimize);
out:
    arena_free(&a);
    release(hold);
    return r;
}
static Value compile_tree(Value tree, Value filename, ParseMode mode, int flags, int optimize) {
    if (flags & ONLY_AST)
        return retained(tree);
    Arena a;
    arena_init(&a);
    AstModule *m = compile_ast_in_hook(tree, mode, &a);
    Value r = m ? compile_ast(m, filename, flags, optimize) : ABSENT;
    arena_free(&a);
    return r;
}

FN(b_compile) {
    Value source = args[0], fname = args[1], mode_v = args[2], flags_v = ARG(3), inherit_v = ARG(4), opt_v = ARG(5);
    int flags = 0, inherit = 1, optimize = -1;
    Value filename = ABSENT, r = ABSENT;
    if (flags_v && num_as_int(flags_v, &flags) < 0)
        return ABSENT;
    if (inherit_v) {
        int t = obj_truth(inherit_v);
        if (t < 0)
            return ABSENT;
        inherit = !t;
    }
    if (opt_v && num_as_int(opt_v, &optimize) < 0)
        return ABSENT;
    filename = os_fspath(fname);
    if (filename && v_is_bytes(filename)) {
        Value text = str_decode_fs(bytes_data(filename), (size_t)bytes_len(filename));
        release(filename);
        filename = text;
    }
    if (!filename)
        return ABSENT;
    if (!v_is_str(mode_v)) {
        err_set(&exc_TypeError, "compile() argument 3 must be str, not %T", mode_v);
        goto out;
    }
    if (flags & ~(FUTURE_FLAGS | ONLY_AST | TOP_LEVEL_AWAIT | PARSE_DONT_IMPLY_DEDENT | PARSE_TYPE_COMMENTS |
                  PARSE_ALLOW_INCOMPLETE | PARSE_IGNORE_COOKIE)) {
        err_set(&exc_ValueError, "compile(): unrecognised flags");
        goto out;
    }
    if (optimize < -1 || optimize > 2) {
        err_set(&exc_ValueError, "compile(): invalid optimize value");
        goto out;
    }
    ParseMode mode;
    if (str_equal_c(mode_v, "exec"))
        mode = PARSE_EXEC;
    else if (str_equal_c(mode_v, "eval"))
        mode = PARSE_EVAL;
    else if (str_equal_c(mode_v, "single"))
        mode = PARSE_SINGLE;
    else if (str_equal_c(mode_v, "func_type") && flags & ONLY_AST)
        mode = PARSE_FUNC_TYPE;
    else {
        err_set(&exc_ValueError, str_equal_c(mode_v, "func_type")
                                     ? "compile() mode 'func_type' requires flag PyCF_ONLY_AST"
                                 : flags & ONLY_AST ? "compile() mode must be 'exec', 'eval', 'single' or 'func_type'"
                                                    : "compile() mode must be 'exec', 'eval' or 'single'");
        goto out;
    }
    if (inherit) {
        InterpFrame *f = thread_self()->frame;
        if (f)
            flags |= (int)(f->code->flags & FUTURE_FLAGS & ~0x10u);
    }
    if (optimize < 0)
        optimize = sys_flags.optimize;
    int is_ast = compile_is_ast_hook ? compile_is_ast_hook(source) : 0;
    if (is_ast < 0)
        goto out;
    r = is_ast ? compile_tree(source, filename, mode, flags, optimize)
               : compile_text(source, "compile", "string, bytes or AST", filename, mode, flags, optimize);
out:
    release(filename);
    return r;
}

/* Namespaces for eval and exec: both owned. */
static int namespaces(Value g, Value l, const char *fn, Value *globals, Value *locals) {
    if (l && l != V_NONE && !v_is_dict(l) && !type_special(type_of(l), SP_GETITEM)) {
        err_set(&exc_TypeError,
                strcmp(fn, "eval") ? "locals must be a mapping or None, not %T" : "locals must be a mapping", l);
        return -1;
    }
    if (g && g != V_NONE && !v_is_dict(g)) {
        if (strcmp(fn, "eval") == 0)
            err_set(&exc_TypeError, type_special(type_of(g), SP_GETITEM)
                                        ? "globals must be a real dict; try eval(expr, {}, mapping)"
                                        : "globals must be a dict");
        else
            err_set(&exc_TypeError, "%s() globals must be a dict, not %T", fn, g);
        return -1;
    }
    if (!g || g == V_NONE) {
        g = current_globals();
        if (!g) {
            err_set(&exc_SystemError, "globals and locals cannot be NULL");
            return -1;
        }
        *globals = retained(g);
        *locals = l && l != V_NONE ? retained(l) : current_locals();
    } else {
        *globals = retained(g);
        *locals = retained(l && l != V_NONE ? l : g);
    }
    if (!*locals) {
        release(*globals);
        return -1;
    }
    if (!dict_contains(*globals, ID("__builtins__"))) {
        Value b = current_builtins();
        if (b && dict_set(*globals, ID("__builtins__"), b) < 0) {
            release(*globals);
            release(*locals);
            return -1;
        }
    }
    return 0;
}
static int inherited_flags(void) {
    InterpFrame *f = thread_self()->frame;
    return f ? (int)(f->code->flags & FUTURE_FLAGS & ~0x10u) : 0;
}

FN(b_eval) {
    Value g, l, r = ABSENT;
    if (namespaces(ARG(1), ARG(2), "eval", &g, &l) < 0)
        return ABSENT;
    Value source = args[0];
    if (v_is_code(source)) {
        if (tuple_len(ref_peek(&((Code *)source)->freevars)) > 0)
            err_set(&exc_TypeError, "code object passed to eval() may not contain free variables");
        else
            r = interp_exec(source, g, l, ABSENT);
    } else {
        Value trimmed = ABSENT;
        if (v_is_str(source)) { /* leading blanks are no indentation here */
            intptr_t i = 0, n = str_len(source);
            while (i < n && (str_at(source, i) == ' ' || str_at(source, i) == '\t'))
                i++;
            trimmed = str_substr(source, i, n);
            if (!trimmed)
                goto out;
        }
        Value code = compile_text(trimmed ? trimmed : source, "eval", "string, bytes or code", ID("<string>"),
                                  PARSE_EVAL, inherited_flags(), sys_flags.optimize);
        release(trimmed);
        if (code)
            r = interp_exec(code, g, l, ABSENT);
        release(code);
    }
out:
    release(g);
    release(l);
    return r;
}
FN(b_exec) {
    Value g, l, r = ABSENT, closure = ARG(3);
    if (closure == V_NONE)
        closure = ABSENT;
    if (namespaces(ARG(1), ARG(2), "exec", &g, &l) < 0)
        return ABSENT;
    if (v_is_code(args[0])) {
        intptr_t n = tuple_len(ref_peek(&((Code *)args[0])->freevars));
        if (n == 0 && closure)
            err_set(&exc_TypeError, "cannot use a closure with this code object");
        else if (n > 0) {
            bool ok = closure && v_is_tuple(closure) && tuple_len(closure) == n;
            for (intptr_t i = 0; ok && i < n; i++)
                ok = v_is_exact(tuple_get(closure, i), IDX_CELL);
            if (!ok)
                err_set(&exc_TypeError, "code object requires a closure of exactly length %zd", n);
            else
                r = interp_exec(args[0], g, l, closure);
        } else
            r = interp_exec(args[0], g, l, ABSENT);
    } else if (closure)
        err_set(&exc_TypeError, "closure argument requires a code object");
    else {
        Value code = compile_text(args[0], "exec", "string, bytes or code", ID("<string>"), PARSE_EXEC,
                                  inherited_flags(), sys_flags.optimize);
        if (code)
            r = interp_exec(code, g, l, ABSENT);
        release(code);
    }
    release(g);
    release(l);
    release(r);
    return r ? V_NONE : ABSENT;
}
FN(b_import) {
    Value name = args[0], globals = ARG(1), fromlist = ARG(3), level = ARG(4);
    int lv = 0;
    if (level && num_as_int(level, &lv) < 0)
        return ABSENT;
    return import_name(name, globals ? globals : V_NONE, fromlist ? fromlist : V_NONE, lv);
}
static const NativeDef functions[] = {
    {"__build_class__", b_build_class, "(func, name, /, *bases, **kwds)", 0,
     "__build_class__(func, name, /, *bases, [metaclass], **kwds) -> class\n\nInternal helper function used by the "
     "class statement."},
    {"__import__", b_import, "(name, globals=None, locals=None, fromlist=(), level=0)", 0, "Import a module."},
    {"abs", b_abs, "($module, x, /)", 0, "Return the absolute value of the argument."},
    {"aiter", b_aiter, "($module, async_iterable, /)", 0, "Return an AsyncIterator for an AsyncIterable object."},
    {"all", b_all, "($module, iterable, /)", 0,
     "Return True if bool(x) is True for all values x in the iterable.\n\nIf the iterable is empty, return True."},
    {"anext", b_anext, "(async_iterator, default=None, /)", 0, "Return the next item from the async iterator."},
    {"any", b_any, "($module, iterable, /)", 0,
     "Return True if bool(x) is True for any x in the iterable.\n\nIf the iterable is empty, return False."},
    {"ascii", b_ascii, "($module, obj, /)", 0, "Return an ASCII-only representation of an object."},
    {"bin", b_bin, "($module, number, /)", 0, "Return the binary representation of an integer."},
    {"breakpoint", b_breakpoint, "($module, /, *args, **kws)", 0, "Call sys.breakpointhook(*args, **kws)."},
    {"callable", b_callable, "($module, obj, /)", 0,
     "Return whether the object is callable (i.e., some kind of function)."},
    {"chr", b_chr, "($module, i, /)", 0,
     "Return a Unicode string of one character with ordinal i; 0 <= i <= 0x10ffff."},
    {"compile", b_compile,
     "($module, /, source, filename, mode, flags=0, dont_inherit=False, optimize=-1, *, _feature_version=-1)", 0,
     "Compile source into a code object that can be executed by exec() or eval()."},
    {"delattr", b_delattr, "($module, obj, name, /)", 0, "Deletes the named attribute from the given object."},
    {"dir", b_dir, "(object=None, /)", 0, "Show attributes of an object."},
    {"divmod", b_divmod, "($module, x, y, /)", 0, "Return the tuple (x//y, x%y).  Invariant: div*y + mod == x."},
    {"eval", b_eval, "($module, source, globals=None, locals=None, /)", 0,
     "Evaluate the given source in the context of globals and locals."},
    {"exec", b_exec, "($module, source, globals=None, locals=None, /, *, closure=None)", 0,
     "Execute the given source in the context of globals and locals."},
    {"format", b_format, "($module, value, format_spec='', /)", 0, "Return value.__format__(format_spec)"},
    {"getattr", b_getattr, "(object, name, default=None, /)", 0,
     "Get a named attribute from an object; getattr(x, 'y') is equivalent to x.y."},
    {"globals", b_globals, "($module, /)", 0, "Return the dictionary containing the current scope's global variables."},
    {"hasattr", b_hasattr, "($module, obj, name, /)", 0,
     "Return whether the object has an attribute with the given name."},
    {"hash", b_hash, "($module, obj, /)", 0, "Return the hash value for the given object."},
    {"hex", b_hex, "($module, number, /)", 0, "Return the hexadecimal representation of an integer."},
    {"id", b_id, "($module, obj, /)", 0, "Return the identity of an object."},
    {"input", b_input, "($module, prompt=None, /)", 0,
     "Read a string from standard input.  The trailing newline is stripped."},
    {"isinstance", b_isinstance, "($module, obj, class_or_tuple, /)", 0,
     "Return whether an object is an instance of a class or of a subclass thereof."},
    {"issubclass", b_issubclass, "($module, cls, class_or_tuple, /)", 0,
     "Return whether 'cls' is derived from another class or is the same class."},
    {"iter", b_iter, "(iterable, sentinel=None, /)", 0, "Get an iterator from an object."},
    {"len", b_len, "($module, obj, /)", 0, "Return the number of items in a container."},
    {"locals", b_locals, "($module, /)", 0, "Return a dictionary containing the current scope's local variables."},
    {"max", b_max, "(*args, key=None, default=None)", 0, "With a single iterable argument, return its biggest item."},
    {"min", b_min, "(*args, key=None, default=None)", 0, "With a single iterable argument, return its smallest item."},
    {"next", b_next, "(iterator, default=None, /)", 0, "Return the next item from the iterator."},
    {"oct", b_oct, "($module, number, /)", 0, "Return the octal representation of an integer."},
    {"ord", b_ord, "($module, c, /)", 0, "Return the Unicode code point for a one-character string."},
    {"pow", b_pow, "($module, /, base, exp, mod=None)", 0,
     "Equivalent to base**exp with 2 arguments or base**exp % mod with 3 arguments."},
    {"print", b_print, "($module, /, *args, sep=' ', end='\\n', file=None, flush=False)", 0,
     "Prints the values to a stream, or to sys.stdout by default."},
    {"repr", b_repr, "($module, obj, /)", 0, "Return the canonical string representation of the object."},
    {"round", b_round, "($module, /, number, ndigits=None)", 0,
     "Round a number to a given precision in decimal digits."},
    {"setattr", b_setattr, "($module, obj, name, value, /)", 0,
     "Sets the named attribute on the given object to the specified value."},
    {"sorted", b_sorted, "($module, iterable, /, *, key=None, reverse=False)", 0,
     "Return a new list containing all items from the iterable in ascending order."},
    {"sum", b_sum, "($module, iterable, /, start=0)", 0,
     "Return the sum of a 'start' value (default: 0) plus an iterable of numbers"},
    {"vars", b_vars, "(object=None, /)", 0, "Show vars."},
    {0},
};

Type *exc_class_at(int i);

static int exec(Value m) {
    static Type *const types[] = {
        &bool_type, &memoryview_type, &bytearray_type,    &bytes_type,  &classmethod_type, &complex_type,
        &dict_type, &enumerate_type,  &filter_type,       &float_type,  &frozenset_type,   &property_type,
        &int_type,  &list_type,       &map_type,          &object_type, &range_type,       &reversed_type,
        &set_type,  &slice_type,      &staticmethod_type, &str_type,    &super_type,       &tuple_type,
        &type_type, &zip_type,
    };
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (module_add_type(m, types[i]) < 0)
            return -1;
    for (int i = 0; exc_class_at(i); i++)
        if (module_add_type(m, exc_class_at(i)) < 0)
            return -1;
    if (module_add(m, "EnvironmentError", retained(V_OF(&exc_OSError))) < 0 ||
        module_add(m, "IOError", retained(V_OF(&exc_OSError))) < 0)
        return -1;
    if (module_add(m, "None", V_NONE) < 0 || module_add(m, "Ellipsis", V_ELLIPSIS) < 0 ||
        module_add(m, "NotImplemented", V_NOTIMPL) < 0 || module_add(m, "False", V_FALSE) < 0 ||
        module_add(m, "True", V_TRUE) < 0 || module_add(m, "__debug__", v_bool(!sys_flags.optimize)) < 0)
        return -1;
    return 0;
}

const ModuleSpec module_builtins = {"builtins",
                                    "Built-in functions, types, exceptions, and other objects.\n\nThis module provides "
                                    "direct access to all 'built-in'\nidentifiers of Python; for "
                                    "example, builtins.len is\nthe full name for the built-in function len().\n\nThis "
                                    "module is not normally accessed explicitly by most\n"
                                    "applications, but can be useful in modules that provide\nobjects with the same "
                                    "name as a builtin and need the\nname to be accessed explicitly.",
                                    functions, exec};
