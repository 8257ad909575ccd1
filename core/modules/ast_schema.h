/* What the classes of module _ast look like: their fields, and where the parser's structs keep them. */
#ifndef POLYGIL_AST_SCHEMA_H
#define POLYGIL_AST_SCHEMA_H

#include "front/parser.h"
#include "object/object.h"

/* Families of nodes: one C struct each. */
typedef enum {
    FAM_MOD,
    FAM_STMT,
    FAM_EXPR,
    FAM_PATTERN,
    FAM_COMPREHENSION,
    FAM_HANDLER,
    FAM_ARGUMENTS,
    FAM_ARG,
    FAM_KEYWORD,
    FAM_ALIAS,
    FAM_WITHITEM,
    FAM_CASE,
    FAM_TYPE_IGNORE,
    FAM_CONTEXT,
    FAM_BOOLOP,
    FAM_BINOP,
    FAM_UNARYOP,
    FAM_CMPOP,
    FAM_COUNT
} Family;

/* What a field holds. FT_NODE and FT_NODES name a family; the enumerations are the last five of them. */
typedef enum {
    FT_NODE,
    FT_NODES,
    FT_IDENT,
    FT_IDENTS,
    FT_INT,
    FT_BOOL,
    FT_CONSTANT,
    FT_STRING,
    FT_NOTHING /* always an empty list */
} FieldType;

typedef struct AstField {
    const char *name;
    uint8_t type; /* FieldType */
    uint8_t family;
    bool optional;   /* None is allowed */
    uint16_t offset; /* in the family's struct */
} AstField;

typedef struct AstNodeDef {
    const char *name;
    uint8_t family;
    uint8_t kind; /* of the family's enumeration */
    uint8_t n_fields;
    const AstField *fields;
} AstNodeDef;

extern const AstNodeDef ast_node_defs[];
extern const int ast_n_node_defs;
extern const char *const ast_family_names[FAM_COUNT];
static inline bool family_has_position(int f) {
    return f == FAM_STMT || f == FAM_EXPR || f == FAM_PATTERN || f == FAM_HANDLER || f == FAM_ARG || f == FAM_KEYWORD ||
           f == FAM_ALIAS;
}
/* Families that are one class, not a sum of several. */
static inline bool family_is_product(int f) {
    return f == FAM_COMPREHENSION || (f >= FAM_ARGUMENTS && f <= FAM_CASE);
}
static inline bool family_is_enum(int f) {
    return f >= FAM_CONTEXT;
}

/* Python's side: classes by definition and by family, singletons of the enumerations. Borrowed; made once. */
int ast_classes_init(void);
Value ast_class_of(int def);
Value ast_family_class(int family);
Value ast_singleton(int def);
const AstNodeDef *ast_def(int family, int kind);
extern Type ast_AST_type;

Value ast_to_object(AstModule *m);                                /* owned tree */
AstModule *ast_from_object(Value tree, ParseMode mode, Arena *a); /* NULL with TypeError, ValueError ... */
bool ast_validate(AstModule *m);                                  /* false with ValueError, TypeError */

#endif
