#!/bin/sh
# layers: every include runs down the house, and every third-party library has its own hand.
#   api > workers > pipeline, storage > engine (ingest > core > net > base)
cd "${1:-$(dirname "$0")/..}" || exit 2
bad=0
forbid() { # forbid FOLDER 'what it may not include'
    [ -d "$1" ] || return 0
    if grep -rnE "^#include \"($2)" --include='*.[ch]' "$1"; then
        echo "layers: $1 reaches up the house" >&2
        bad=1
    fi
}
forbid engine/base   'engine/(net|core|ingest)/|api/|workers/|pipeline/|storage/'
forbid engine/net    'engine/(core|ingest)/|api/|workers/|pipeline/|storage/'
forbid engine/core   'engine/ingest/|api/|workers/|pipeline/|storage/'
forbid engine/ingest 'api/|workers/|pipeline/|storage/'
forbid pipeline      'engine/(net|core|ingest)/|api/|workers/|storage/'
forbid storage       'engine/ingest/|api/|workers/|pipeline/'
forbid workers       'engine/ingest/|api/|storage/'

only() { # only HEADER 'paths that may include it'
    hits=$(grep -rlE "^#include <$1" --include='*.[ch]' engine pipeline storage workers api |
        grep -vE "^($2)")
    if [ -n "$hits" ]; then
        echo "layers: <$1> is not for: $hits" >&2
        bad=1
    fi
}
only 'uv\.h'      'engine/net/|workers/process\.c'
only 'openssl/'   'engine/net/tls|engine/base/seal\.c|engine/base/digest\.c|engine/base/cipher\.c|api/'
only 'sqlite3\.h' 'storage/ledger_sqlite'
only 'tiffio\.h'  'pipeline/codec/tiff_'
only 'jpeglib\.h' 'pipeline/codec/jpeg_'
only 'jbig2\.h'   'pipeline/codec/jbig2_decode\.c'
only 'zlib\.h'    'pipeline/codec/flate\.c'
only 'ghostscript/' 'pipeline/codec/ghost_'
only 'expat\.h'   'pipeline/pdf/pdf_xmp_custom\.c|pipeline/pdf/pdf_check_xmp\.c'
only 'seccomp\.h' 'workers/sandbox\.c'
only 'yaml\.h'    'engine/base/conf'
only 'argon2\.h'  'engine/ingest/password\.c'

private=$(grep -rnE '^#include "[^"]*_priv\.h"' --include='*.[ch]' engine pipeline storage workers api |
    awk -F: '{ split($3, q, "\""); own = $1; sub(/\/[^\/]*$/, "", own);
               of = q[2]; sub(/\/[^\/]*$/, "", of); if (own != of) print $1 " includes " q[2] }')
[ -z "$private" ] || { echo "layers: private header: $private" >&2; bad=1; }

same=$(find engine pipeline storage workers api -name '*.c' -exec basename {} \; | sort | uniq -d)
[ -z "$same" ] || { echo "layers: base names are unique in the tree: $same" >&2; bad=1; }
exit $bad
