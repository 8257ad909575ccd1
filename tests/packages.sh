# Sourced: need_packages GROUP... installs from Debian's packages what is missing, or says exactly what to install when it may not.

packages_build="gcc g++ cmake ninja-build libck-dev libjemalloc-dev libbenchmark-dev libgmp-dev libutf8proc-dev libdouble-conversion-dev
libedit-dev libssl-dev libb2-dev libicu-dev libpython3.11-stdlib python3.11 python3.11-minimal"
packages_help="python3.11"
packages_test="libpython3.11-testsuite"

# help_of SCRIPT ARGUMENTS...: the script's help, and the end, where an argument asks for it; nothing else is installed for that.
help_of() {
    local script=$1 a
    shift
    for a in "$@"; do
        case $a in -h | --help) need_packages help; exec /usr/bin/python3.11 -B "$script" --help ;; esac
    done
}

need_packages() {
    local group list p missing=""
    for group in "$@"; do
        list="packages_$group"
        for p in ${!list}; do
            dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $p"
        done
    done
    [ -z "$missing" ] && return 0
    if [ "$(id -u)" != 0 ]; then
        echo "missing packages: as root, run: apt-get install$missing" >&2
        exit 2
    fi
    echo "installing$missing" >&2
    export DEBIAN_FRONTEND=noninteractive
    local log
    log=$(mktemp)
    # shellcheck disable=SC2086
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing; } >"$log" 2>&1 || {
        tail -5 "$log" >&2
        echo "could not install packages: run: apt-get install$missing" >&2
        exit 2
    }
    rm -f "$log"
}
