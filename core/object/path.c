#include "object/path.h"

#include "object/bytes.h"
#include "object/str.h"

Value os_fspath(Value v) {
    if (v_is_str(v) || v_is_bytes(v))
        return retained(v);
    Value r = obj_call_special(v, SP_FSPATH, NULL, 0);
    if (r == V_MARK)
        return err_set(&exc_TypeError, "expected str, bytes or os.PathLike object, not %T", v);
    if (r == ABSENT || v_is_str(r) || v_is_bytes(r))
        return r;
    err_set(&exc_TypeError, "expected %T.__fspath__() to return str or bytes, not %T", v, r);
    release(r);
    return ABSENT;
}

Value os_fspath_bytes(Value v) {
    Value p = os_fspath(v), b = p;
    if (p == ABSENT)
        return ABSENT;
    if (v_is_str(p)) {
        b = str_encode_fs(p);
        release(p);
        if (b == ABSENT)
            return ABSENT;
    }
    if (strlen(bytes_data(b)) != (size_t)bytes_len(b)) {
        release(b);
        return err_set(&exc_ValueError, "embedded null byte");
    }
    return b;
}
