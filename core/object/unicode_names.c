/* Names of characters and what else utf8proc has not: those names that follow from the code point by rule, aliases, and
 * ICU for the rest. ICU is loaded when it is first needed: its data is large, and hardly a program asks. Without it
 * those characters have no names. */
#include "object/unicode.h"

#include <dlfcn.h>
#include <pthread.h>
#include <unicode/uchar.h>
#include <unicode/uvernum.h>

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define ICU_FUNCTION(handle, name) dlsym(handle, name "_" TEXT(U_ICU_VERSION_MAJOR_NUM))

static struct {
    int32_t (*char_name)(UChar32 c, UCharNameChoice choice, char *buffer, int32_t room, UErrorCode *error);
    UChar32 (*from_name)(UCharNameChoice choice, const char *name, UErrorCode *error);
    int32_t (*property)(UChar32 c, UProperty which);
    void (*age)(UChar32 c, UVersionInfo version);
    const void *(*normalizer)(UErrorCode *error);
    int32_t (*raw_decomposition)(const void *normalizer, UChar32 c, UChar *out, int32_t room, UErrorCode *error);
} icu;
static pthread_once_t icu_once = PTHREAD_ONCE_INIT;

static void icu_load(void) {
    void *h = dlopen("libicuuc.so." TEXT(U_ICU_VERSION_MAJOR_NUM), RTLD_NOW | RTLD_LOCAL);
    if (h == NULL)
        return;
    *(void **)&icu.char_name = ICU_FUNCTION(h, "u_charName");
    *(void **)&icu.from_name = ICU_FUNCTION(h, "u_charFromName");
    *(void **)&icu.property = ICU_FUNCTION(h, "u_getIntPropertyValue");
    *(void **)&icu.age = ICU_FUNCTION(h, "u_charAge");
    *(void **)&icu.normalizer = ICU_FUNCTION(h, "unorm2_getNFKCInstance");
    *(void **)&icu.raw_decomposition = ICU_FUNCTION(h, "unorm2_getRawDecomposition");
}
static void icu_need(void) {
    pthread_once(&icu_once, icu_load);
}

static const struct {
    const char *name;
    uint32_t c;
} aliases[] = {
    {"NULL", 0x0},
    {"NUL", 0x0},
    {"START OF HEADING", 0x1},
    {"SOH", 0x1},
    {"START OF TEXT", 0x2},
    {"STX", 0x2},
    {"END OF TEXT", 0x3},
    {"ETX", 0x3},
    {"END OF TRANSMISSION", 0x4},
    {"EOT", 0x4},
    {"ENQUIRY", 0x5},
    {"ENQ", 0x5},
    {"ACKNOWLEDGE", 0x6},
    {"ACK", 0x6},
    {"ALERT", 0x7},
    {"BEL", 0x7},
    {"BACKSPACE", 0x8},
    {"BS", 0x8},
    {"CHARACTER TABULATION", 0x9},
    {"HORIZONTAL TABULATION", 0x9},
    {"HT", 0x9},
    {"TAB", 0x9},
    {"LINE FEED", 0xa},
    {"NEW LINE", 0xa},
    {"END OF LINE", 0xa},
    {"LF", 0xa},
    {"NL", 0xa},
    {"EOL", 0xa},
    {"LINE TABULATION", 0xb},
    {"VERTICAL TABULATION", 0xb},
    {"VT", 0xb},
    {"FORM FEED", 0xc},
    {"FF", 0xc},
    {"CARRIAGE RETURN", 0xd},
    {"CR", 0xd},
    {"SHIFT OUT", 0xe},
    {"LOCKING-SHIFT ONE", 0xe},
    {"SO", 0xe},
    {"SHIFT IN", 0xf},
    {"LOCKING-SHIFT ZERO", 0xf},
    {"SI", 0xf},
    {"DATA LINK ESCAPE", 0x10},
    {"DLE", 0x10},
    {"DEVICE CONTROL ONE", 0x11},
    {"DC1", 0x11},
    {"DEVICE CONTROL TWO", 0x12},
    {"DC2", 0x12},
    {"DEVICE CONTROL THREE", 0x13},
    {"DC3", 0x13},
    {"DEVICE CONTROL FOUR", 0x14},
    {"DC4", 0x14},
    {"NEGATIVE ACKNOWLEDGE", 0x15},
    {"NAK", 0x15},
    {"SYNCHRONOUS IDLE", 0x16},
    {"SYN", 0x16},
    {"END OF TRANSMISSION BLOCK", 0x17},
    {"ETB", 0x17},
    {"CANCEL", 0x18},
    {"CAN", 0x18},
    {"END OF MEDIUM", 0x19},
    {"EOM", 0x19},
    {"SUBSTITUTE", 0x1a},
    {"SUB", 0x1a},
    {"ESCAPE", 0x1b},
    {"ESC", 0x1b},
    {"INFORMATION SEPARATOR FOUR", 0x1c},
    {"FILE SEPARATOR", 0x1c},
    {"FS", 0x1c},
    {"INFORMATION SEPARATOR THREE", 0x1d},
    {"GROUP SEPARATOR", 0x1d},
    {"GS", 0x1d},
    {"INFORMATION SEPARATOR TWO", 0x1e},
    {"RECORD SEPARATOR", 0x1e},
    {"RS", 0x1e},
    {"INFORMATION SEPARATOR ONE", 0x1f},
    {"UNIT SEPARATOR", 0x1f},
    {"US", 0x1f},
    {"SP", 0x20},
    {"DELETE", 0x7f},
    {"DEL", 0x7f},
    {"PADDING CHARACTER", 0x80},
    {"PAD", 0x80},
    {"HIGH OCTET PRESET", 0x81},
    {"HOP", 0x81},
    {"BREAK PERMITTED HERE", 0x82},
    {"BPH", 0x82},
    {"NO BREAK HERE", 0x83},
    {"NBH", 0x83},
    {"INDEX", 0x84},
    {"IND", 0x84},
    {"NEXT LINE", 0x85},
    {"NEL", 0x85},
    {"START OF SELECTED AREA", 0x86},
    {"SSA", 0x86},
    {"END OF SELECTED AREA", 0x87},
    {"ESA", 0x87},
    {"CHARACTER TABULATION SET", 0x88},
    {"HORIZONTAL TABULATION SET", 0x88},
    {"HTS", 0x88},
    {"CHARACTER TABULATION WITH JUSTIFICATION", 0x89},
    {"HORIZONTAL TABULATION WITH JUSTIFICATION", 0x89},
    {"HTJ", 0x89},
    {"LINE TABULATION SET", 0x8a},
    {"VERTICAL TABULATION SET", 0x8a},
    {"VTS", 0x8a},
    {"PARTIAL LINE FORWARD", 0x8b},
    {"PARTIAL LINE DOWN", 0x8b},
    {"PLD", 0x8b},
    {"PARTIAL LINE BACKWARD", 0x8c},
    {"PARTIAL LINE UP", 0x8c},
    {"PLU", 0x8c},
    {"REVERSE LINE FEED", 0x8d},
    {"REVERSE INDEX", 0x8d},
    {"RI", 0x8d},
    {"SINGLE SHIFT TWO", 0x8e},
    {"SINGLE-SHIFT-2", 0x8e},
    {"SS2", 0x8e},
    {"SINGLE SHIFT THREE", 0x8f},
    {"SINGLE-SHIFT-3", 0x8f},
    {"SS3", 0x8f},
    {"DEVICE CONTROL STRING", 0x90},
    {"DCS", 0x90},
    {"PRIVATE USE ONE", 0x91},
    {"PRIVATE USE-1", 0x91},
    {"PU1", 0x91},
    {"PRIVATE USE TWO", 0x92},
    {"PRIVATE USE-2", 0x92},
    {"PU2", 0x92},
    {"SET TRANSMIT STATE", 0x93},
    {"STS", 0x93},
    {"CANCEL CHARACTER", 0x94},
    {"CCH", 0x94},
    {"MESSAGE WAITING", 0x95},
    {"MW", 0x95},
    {"START OF GUARDED AREA", 0x96},
    {"START OF PROTECTED AREA", 0x96},
    {"SPA", 0x96},
    {"END OF GUARDED AREA", 0x97},
    {"END OF PROTECTED AREA", 0x97},
    {"EPA", 0x97},
    {"START OF STRING", 0x98},
    {"SOS", 0x98},
    {"SINGLE GRAPHIC CHARACTER INTRODUCER", 0x99},
    {"SGC", 0x99},
    {"SINGLE CHARACTER INTRODUCER", 0x9a},
    {"SCI", 0x9a},
    {"CONTROL SEQUENCE INTRODUCER", 0x9b},
    {"CSI", 0x9b},
    {"STRING TERMINATOR", 0x9c},
    {"ST", 0x9c},
    {"OPERATING SYSTEM COMMAND", 0x9d},
    {"OSC", 0x9d},
    {"PRIVACY MESSAGE", 0x9e},
    {"PM", 0x9e},
    {"APPLICATION PROGRAM COMMAND", 0x9f},
    {"APC", 0x9f},
    {"NBSP", 0xa0},
    {"SHY", 0xad},
    {"CGJ", 0x34f},
    {"ALM", 0x61c},
    {"FVS1", 0x180b},
    {"FVS2", 0x180c},
    {"FVS3", 0x180d},
    {"FVS4", 0x180f},
    {"MVS", 0x180e},
    {"ZWSP", 0x200b},
    {"ZWNJ", 0x200c},
    {"ZWJ", 0x200d},
    {"LRM", 0x200e},
    {"RLM", 0x200f},
    {"LRE", 0x202a},
    {"RLE", 0x202b},
    {"PDF", 0x202c},
    {"LRO", 0x202d},
    {"RLO", 0x202e},
    {"NNBSP", 0x202f},
    {"MMSP", 0x205f},
    {"WJ", 0x2060},
    {"LRI", 0x2066},
    {"RLI", 0x2067},
    {"FSI", 0x2068},
    {"PDI", 0x2069},
    {"VS1", 0xfe00},
    {"VS2", 0xfe01},
    {"VS15", 0xfe0e},
    {"VS16", 0xfe0f},
    {"BYTE ORDER MARK", 0xfeff},
    {"BOM", 0xfeff},
    {"ZWNBSP", 0xfeff},
};

static const char *const jamo_l[] = {"G",  "GG", "N", "D",  "DD", "R", "M", "B", "BB", "S",
                                     "SS", "",   "J", "JJ", "C",  "K", "T", "P", "H"};
static const char *const jamo_v[] = {"A",  "AE", "YA", "YAE", "EO", "E",  "YEO", "YE", "O",  "WA", "WAE",
                                     "OE", "YO", "U",  "WEO", "WE", "WI", "YU",  "EU", "YI", "I"};
static const char *const jamo_t[] = {"",   "G",  "GG", "GS", "N",  "NJ", "NH", "D",  "L", "LG", "LM", "LB", "LS", "LT",
                                     "LP", "LH", "M",  "B",  "BS", "S",  "SS", "NG", "J", "C",  "K",  "T",  "P",  "H"};
static const struct {
    uint32_t lo, hi;
    const char *prefix;
} ideographs[] = {
    {0x3400, 0x4dbf, "CJK UNIFIED IDEOGRAPH-"},       {0x4e00, 0x9fff, "CJK UNIFIED IDEOGRAPH-"},
    {0xf900, 0xfa6d, "CJK COMPATIBILITY IDEOGRAPH-"}, {0xfa70, 0xfad9, "CJK COMPATIBILITY IDEOGRAPH-"},
    {0x17000, 0x187f7, "TANGUT IDEOGRAPH-"},          {0x18d00, 0x18d08, "TANGUT IDEOGRAPH-"},
    {0x1b170, 0x1b2fb, "NUSHU CHARACTER-"},           {0x18b00, 0x18cd5, "KHITAN SMALL SCRIPT CHARACTER-"},
    {0x20000, 0x2a6df, "CJK UNIFIED IDEOGRAPH-"},     {0x2a700, 0x2b738, "CJK UNIFIED IDEOGRAPH-"},
    {0x2b740, 0x2b81d, "CJK UNIFIED IDEOGRAPH-"},     {0x2b820, 0x2cea1, "CJK UNIFIED IDEOGRAPH-"},
    {0x2ceb0, 0x2ebe0, "CJK UNIFIED IDEOGRAPH-"},     {0x2f800, 0x2fa1d, "CJK COMPATIBILITY IDEOGRAPH-"},
    {0x30000, 0x3134a, "CJK UNIFIED IDEOGRAPH-"},
};

static bool by_rule(uint32_t c, char *out, size_t room) {
    if (c >= 0xac00 && c < 0xac00 + 11172) {
        uint32_t s = c - 0xac00;
        snprintf(out, room, "HANGUL SYLLABLE %s%s%s", jamo_l[s / 588], jamo_v[s / 28 % 21], jamo_t[s % 28]);
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(ideographs); i++)
        if (c >= ideographs[i].lo && c <= ideographs[i].hi) {
            snprintf(out, room, "%s%04X", ideographs[i].prefix, c);
            return true;
        }
    return false;
}

bool unicode_name(uint32_t c, char *out, size_t room) {
    if (by_rule(c, out, room))
        return true;
    icu_need();
    UErrorCode error = U_ZERO_ERROR;
    return icu.char_name != NULL && icu.char_name((UChar32)c, U_UNICODE_CHAR_NAME, out, (int32_t)room, &error) > 0 &&
           error <= U_ZERO_ERROR;
}

const char *unicode_east_asian_width(uint32_t c) {
    static const char *const names[] = {"N", "A", "H", "F", "Na", "W"};
    icu_need();
    int32_t w = icu.property == NULL ? 0 : icu.property((UChar32)c, UCHAR_EAST_ASIAN_WIDTH);
    return w >= 0 && w < (int32_t)ARRAY_LEN(names) ? names[w] : "N";
}

bool unicode_in_3_2(uint32_t c) {
    icu_need();
    UVersionInfo v = {0};
    if (icu.age != NULL)
        icu.age((UChar32)c, v);
    return icu.age == NULL || (v[0] > 0 && (v[0] < 3 || (v[0] == 3 && v[1] <= 2)));
}

int unicode_decomposition(uint32_t c, uint32_t out[32]) {
    icu_need();
    if (icu.normalizer == NULL || icu.raw_decomposition == NULL || (c >= 0xac00 && c < 0xac00 + 11172))
        return 0;
    UErrorCode error = U_ZERO_ERROR;
    UChar buf[64];
    const void *n = icu.normalizer(&error);
    int32_t len =
        error <= U_ZERO_ERROR ? icu.raw_decomposition(n, (UChar32)c, buf, (int32_t)ARRAY_LEN(buf), &error) : 0;
    if (error > U_ZERO_ERROR)
        return 0;
    int k = 0;
    for (int32_t i = 0; i < len && k < 32; i++) {
        uint32_t u = buf[i];
        if (u >= 0xd800 && u < 0xdc00 && i + 1 < len)
            u = 0x10000 + ((u - 0xd800) << 10) + (buf[++i] - 0xdc00u);
        out[k++] = u;
    }
    return k;
}

/* The longest of the syllables at p; its index, or -1. */
static int take_jamo(const char **p, const char *end, const char *const *names, int n) {
    int best = -1;
    size_t best_len = 0;
    for (int i = 0; i < n; i++) {
        size_t k = strlen(names[i]);
        if (k <= (size_t)(end - *p) && memcmp(*p, names[i], k) == 0 && (best < 0 || k > best_len)) {
            best = i;
            best_len = k;
        }
    }
    if (best >= 0)
        *p += best_len;
    return best;
}

int32_t unicode_lookup(const char *name, size_t n) {
    char buf[128], check[128];
    if (n >= sizeof(buf))
        return -1;
    for (size_t i = 0; i < n; i++)
        buf[i] = name[i] >= 'a' && name[i] <= 'z' ? (char)(name[i] - 32) : name[i];
    buf[n] = '\0';
    static const char hangul[] = "HANGUL SYLLABLE ";
    if (strncmp(buf, hangul, sizeof(hangul) - 1) == 0) {
        const char *p = buf + sizeof(hangul) - 1, *end = buf + n;
        int l = take_jamo(&p, end, jamo_l, 19), v = take_jamo(&p, end, jamo_v, 21), t = take_jamo(&p, end, jamo_t, 28);
        return l >= 0 && v >= 0 && t >= 0 && p == end ? 0xac00 + (l * 21 + v) * 28 + t : -1;
    }
    for (size_t i = 0; i < ARRAY_LEN(ideographs); i++) {
        size_t k = strlen(ideographs[i].prefix);
        if (strncmp(buf, ideographs[i].prefix, k) == 0 && n - k >= 4 && n - k <= 5) {
            char *stop;
            unsigned long c = strtoul(buf + k, &stop, 16);
            if (*stop == '\0' && by_rule((uint32_t)c, check, sizeof(check)) && strcmp(check, buf) == 0)
                return (int32_t)c;
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
        if (strcmp(aliases[i].name, buf) == 0)
            return (int32_t)aliases[i].c;
    static const UCharNameChoice choices[] = {U_UNICODE_CHAR_NAME, U_CHAR_NAME_ALIAS};
    icu_need();
    for (size_t i = 0; i < ARRAY_LEN(choices) && icu.from_name != NULL; i++) {
        UErrorCode error = U_ZERO_ERROR;
        UChar32 c = icu.from_name(choices[i], buf, &error);
        if (error <= U_ZERO_ERROR)
            return c;
    }
    return -1;
}
