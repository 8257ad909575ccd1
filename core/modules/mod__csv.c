/* _csv: reading and writing delimited text. */
#include "modules/csv_impl.h"
#include "object/dict.h"
#include "object/exc.h"
#include "object/int.h"
#include "object/iter.h"
#include "tracer.h"

static Value register_dialect(Value self, Value *args, intptr_t nargs, Value kw) {
    if (csv_check_args(nargs) < 0)
        return ABSENT;
    if (!v_is_str(args[0]))
        return err_set(&exc_TypeError, "dialect name must be a string");
    Value dialect = csv_dialect_make(arg_at(args, nargs, 1), args + nargs, kw);
    if (dialect == ABSENT)
        return ABSENT;
    int r = dict_set(csv_dialects, args[0], dialect);
    release(dialect);
    return r < 0 ? ABSENT : V_NONE;
}
static Value unregister_dialect(Value self, Value *args, intptr_t nargs, Value kw) {
    Value old = ABSENT;
    int r = dict_pop(csv_dialects, args[0], &old);
    release(old);
    if (r == 0)
        return err_set((Type *)csv_error, "unknown dialect");
    return r < 0 ? ABSENT : V_NONE;
}
static Value get_dialect(Value self, Value *args, intptr_t nargs, Value kw) {
    return csv_dialect_named(args[0]);
}
static Value list_dialects(Value self, Value *args, intptr_t nargs, Value kw) {
    return dict_keys_list(csv_dialects);
}
static Value field_size_limit(Value self, Value *args, intptr_t nargs, Value kw) {
    if (nargs > 1)
        return err_set(&exc_TypeError, "field_size_limit() takes at most 1 argument (%zd given)", (ssize_t)nargs);
    int64_t old = LOAD_RELAXED(&csv_field_limit);
    if (nargs == 1) {
        int64_t limit;
        if (type_of(args[0]) != &int_type)
            return err_set(&exc_TypeError, "limit must be an integer");
        if (num_as_i64(args[0], &limit) < 0)
            return ABSENT;
        old = atomic_exchange_explicit(&csv_field_limit, limit, memory_order_relaxed);
    }
    return int_from_i64(old);
}

static const NativeDef functions[] = {
    {"reader", csv_reader_new, "($module, /, *args, **kwargs)", 0, csv_reader_doc},
    {"writer", csv_writer_new, "($module, /, *args, **kwargs)", 0, csv_writer_doc},
    {"register_dialect", register_dialect, "($module, /, *args, **kwargs)", 0,
     "register_dialect(name [, dialect] [, field=value ...])\n\nGives a dialect a name."},
    {"unregister_dialect", unregister_dialect, "($module, /, name)", 0, "Forgets the dialect of that name."},
    {"get_dialect", get_dialect, "($module, /, name)", 0, "The dialect of that name."},
    {"list_dialects", list_dialects, "($module, /)", 0, "A list of the names of all dialects that have one."},
    {"field_size_limit", field_size_limit, "($module, /, *args)", 0,
     "field_size_limit([limit]) -> the limit until now\n\nSets how many characters a field may have."},
    {NULL},
};

static void roots(VisitFn visit, void *arg) {
    visit(csv_error, arg);
    visit(csv_dialects, arg);
}

static int exec(Value m) {
    if (csv_error == ABSENT) { /* a second import finds the same classes */
        type_init_module_type(&csv_dialect_type, &csv_dialect_spec);
        type_init_module_type(&csv_reader_type, &csv_reader_spec);
        type_init_module_type(&csv_writer_type, &csv_writer_spec);
        iter_register(&csv_reader_type, csv_reader_next);
        trace_register_roots(roots);
        if ((csv_dialects = dict_new()) == ABSENT ||
            (csv_error = exc_class_new("_csv.Error", &exc_Exception)) == ABSENT)
            return -1;
        publish(csv_dialects);
        publish(csv_error);
    }
    static const struct {
        const char *name;
        int value;
    } quoting[] = {{"QUOTE_MINIMAL", CSV_QUOTE_MINIMAL},
                   {"QUOTE_ALL", CSV_QUOTE_ALL},
                   {"QUOTE_NONNUMERIC", CSV_QUOTE_NONNUMERIC},
                   {"QUOTE_NONE", CSV_QUOTE_NONE}};
    for (size_t i = 0; i < ARRAY_LEN(quoting); i++)
        if (module_add_int(m, quoting[i].name, quoting[i].value) < 0)
            return -1;
    return module_add_str(m, "__version__", "1.0") < 0 || module_add(m, "Error", retained(csv_error)) < 0 ||
                   module_add(m, "_dialects", retained(csv_dialects)) < 0 ||
                   module_add_type(m, &csv_dialect_type) < 0 ||
                   module_add(m, "Reader", retained(V_OF(&csv_reader_type))) < 0 ||
                   module_add(m, "Writer", retained(V_OF(&csv_writer_type))) < 0
               ? -1
               : 0;
}

const ModuleSpec module__csv = {
    .name = "_csv", .doc = "CSV parsing and writing.", .functions = functions, .exec = exec};
