#!/bin/sh
# check.sh: conventions that a compiler does not see. Layers, fences, banned functions, file sizes, and that documents name what is there.
set -u
cd "$(dirname "$0")/.." || exit 1
bad=0
say() {
	echo "$1"
	bad=1
}

# What leans on what, by includes and by calls: layers point down, files do not lean on each other in a circle, no two headers have one name.
found=$(python3 tools/graph.py) || say "${found:-tools/graph.py failed}"

# How sources look to their reader.
found=$(python3 -B tools/style.py) || say "$found"

for f in src/*/*.[ch] include/crumb/*/*.h; do
	lines=$(wc -l <"$f")
	[ "$lines" -gt 800 ] && say "$f: $lines lines"
done

# Third-party headers are fenced.
fence() {
	found=$(grep -lE "#include [<\"]$1" src/*/*.[ch] include/crumb/*/*.h | grep -vE "$2")
	[ -n "$found" ] && say "$1 is used outside its fence: $found"
}
fence 'lmdb\.h' '^src/disk/'
fence 'librdkafka/' '^src/broker/'
fence 'event2/' '^(src|include/crumb)/(http|cluster|collect|trackers|admin|app)/'
fence 'roaring/' '^src/views/bitmap\.c$'
fence 'maxminddb\.h' '^src/privacy/place\.c$'
fence 'curl/' '^src/(cli/|delivery/push\.c|cluster/peer\.c)'
fence 'openssl/' '^src/(delivery/package\.c|partners/signing\.c|cluster/(certificate\.[ch]|secure\.c))$'
fence 'llhttp/' '^src/http/'
fence 'crumb/privacy/hit\.h' '(privacy|ingest|collect|trackers)/'

# Functions that have no bounded form, no thread-safe form, or trust their input.
banned='\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|atoll|rand|srand|localtime|gmtime|ctime|asctime|alloca|system|popen|tmpnam)\('
found=$(grep -nE "$banned" src/*/*.[ch] include/crumb/*/*.h)
[ -n "$found" ] && say "banned functions:
$found"

# What grows is a base/array or a base/buf; a connection gives back what a long body took.
found=$(grep -nE '\brealloc\(' src/*/*.c | grep -vE '^src/(base/(array|buf)|http/parse)\.c:|not realloc\(\)')
[ -n "$found" ] && say "array_room() instead of realloc():
$found"

# What the system says becomes an error in base/err. A secret's file is named by whoever wrote the configuration: that is misuse.
found=$(grep -nE 'err_set\(.*strerror\(errno' src/*/*.c | grep -v '^src/partners/destinations\.c:')
[ -n "$found" ] && say "err_sys() instead of strerror():
$found"

# Without memory json_dumps() leaves out keys.
found=$(grep -nE '\bjson_dumps\(' src/*/*.c | grep -v '^src/base/json\.c:')
[ -n "$found" ] && say "json_whole() of base/json.h makes a text that is whole:
$found"

# A thread has a name, a stack and its signals from base/thread.
found=$(grep -nE '\bpthread_create\(' src/*/*.c | grep -vE '^src/base/(thread|low)\.c:|^src/broker/c11\.c:')
[ -n "$found" ] && say "thread_start() instead of pthread_create():
$found"

# A set of characters has no zero byte in it, but strchr() finds one.
found=$(grep -nE '\bstrchr\("' src/*/*.[ch] include/crumb/*/*.h)
[ -n "$found" ] && say "chr_one_of() instead of strchr(set, c):
$found"

# One walk over the table of visitors.
found=$(grep -nE 'db_walk\([^)]*(\.|->)visitors,' src/*/*.c | grep -v '^src/store/each_stored\.c:')
[ -n "$found" ] && say "each_visitor() or each_stored() instead of a cursor over visitors:
$found"

# exit() belongs to main files; but what a signal says of a mapped file nobody can go on from.
found=$(grep -nE '\b_?exit\(' src/*/*.c | grep -vE '^src/(app|cli|disk/guard)')
[ -n "$found" ] && say "exit() below main:
$found"

# A promise names its test, and the test exists.
for t in $(grep -ohE '\btests/[a-z]+(/[a-z_]+)+\.(py|c)(::[a-z0-9_]+)?' ./*.md docs/*.md docs/*/*.md include/crumb/*/*.h 2>/dev/null | sort -u); do
	file=${t%%::*}
	[ -f "$file" ] || say "a document names $file, which is not there"
	case $t in *::*) grep -q "${t##*::}" "$file" || say "a document names ${t##*::}, which is not in $file" ;; esac
done

# A unit test lies where the source lies that it tests; half of the sources have one.
for f in tests/unit/*/*.c; do
	[ -f "src/${f#tests/unit/}" ] || say "$f tests no source: src/${f#tests/unit/} is not there"
done
tested=$(echo tests/unit/*/*.c | wc -w) sources=$(echo src/*/*.c | wc -w)
[ $((2 * tested)) -ge "$sources" ] || say "$tested of $sources sources have tests/unit/LAYER/NAME.c: less than half"

# What documents and comments name in the tree is there; the changelog tells of what was.
for f in $(grep -ohE '\b(src|include/crumb|tools|tests)(/[a-z_]+)+(\.[a-z]+)?' $(find ./*.md docs -name '*.md' | grep -v CHANGELOG) src/*/*.[ch] include/crumb/*/*.h | sort -u); do
	[ -e "$f" ] || say "a document or a comment names $f, which is not there"
done

# A link between documents leads somewhere.
found=$(python3 -B tools/links.py) || say "$found"

# What documents say of rows is what the rows say, where there is a program to ask.
if [ -x build/crumb ]; then
	found=$(python3 -B tools/docs.py --check) || say "$found"
fi

# At a call, true says nothing.
found=$(python3 -B tools/booleans.py) || say "$found"

# Whitespace.
found=$(grep -nE '[ 	]+$' src/*/*.[ch] include/crumb/*/*.h tests/*/*.[ch] tests/unit/*/*.c tests/*/*.py tools/*.sh | head -5)
[ -n "$found" ] && say "blanks at the end of lines:
$found"

[ "$bad" = 0 ] && echo "check: all is as agreed"
exit $bad
