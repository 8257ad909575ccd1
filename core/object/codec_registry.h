/* The registry's life. */
#ifndef POLYGIL_CODEC_REGISTRY_H
#define POLYGIL_CODEC_REGISTRY_H

#include "object/object.h"

int codec_registry_init(void); /* after the built-in types: 0, -1 */
/* What codecs.encode and codecs.decode do: any codec, any type. */
Value codec_call(Value obj, const char *encoding, const char *errors, bool encode, bool text_only);

#endif
