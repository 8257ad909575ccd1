/* Shared by type.c, type_new.c and type_methods.c. */
#ifndef POLYGIL_TYPE_IMPL_H
#define POLYGIL_TYPE_IMPL_H

#include "object/object.h"

int type_add_to_bases(Type *t);
void type_remove_from(Type *t, Value bases);
void type_remove_from_bases(Type *t);
void type_compute_specials(Type *t);
/* special[] of t and all its subclasses anew. World stopped. */
void type_tree_recompute(Type *t);
void type_traverse(Value self, VisitFn visit, void *arg);
void type_clear(Value self);
void type_fini(Value self);
/* C3 over the given bases: new uncounted tuple beginning with t, or ABSENT with TypeError. */
Value type_mro_c3(Type *t, Value bases);
/* The MRO that t's metaclass wants. */
Value type_compute_mro(Type *t);
Type *type_best_base(Value bases); /* NULL with TypeError; borrowed */
bool type_same_layout(Type *a, Type *b);
/* What t's table of special methods holds for its attribute v: v, unless that is another built-in class's (mismatch.c).
 */
Value special_for(Type *t, int sp, Value v);
bool special_is_mismatch(Value v);
void mismatch_init(void);
int type_set_bases(Type *t, Value bases);

#endif
