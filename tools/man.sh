#!/bin/sh
# man.sh FOLDER [BUILD]: writes crumb.1 and crumbd.8 from what the programs say of themselves, so that they cannot differ from --help.
set -eu
out=$1 b=${2:-build}
mkdir -p "$out"
version=$("$b/crumb" --version)

# Text on stdin, with what roff would take for its own taken away; JSON may be broken behind its commas.
roff() {
	sed 's/\\/\\e/g; s/-/\\-/g; s/'"'"'/\\(aq/g; s/^\( *\)\./\1\\\&./; s/",/",\\:/g'
}

section() { # what `crumb help` prints of a command, as a subsection
	awk '
		/^NAME$/ { at = "name"; next }
		/^SYNOPSIS$/ { at = "synopsis"; next }
		/^DESCRIPTION$/ { at = "text"; next }
		at == "name" && NF { sub(/^ *crumb /, ""); i = index($0, " \\- "); print ".SS " substr($0, 1, i - 1); print substr($0, i + 4) "."; at = "" }
		at == "synopsis" && NF { sub(/^ *crumb .*key=value\]\.\.\. /, ""); print ".PP\n.B crumb " $0 "\n.PP"; at = "" }
		at == "text" { if (!NF) print ".PP"; else { sub(/^  /, ""); if ($0 ~ /^ /) print ".br"; sub(/^ +/, ""); print } }'
}

{
	cat <<'TOP'
.TH CRUMB 1 "" "@VERSION@" "User commands"
.ad l
.SH NAME
crumb \- commands for a data management platform for anonymous audiences
.SH SYNOPSIS
.B crumb
[\fB\-c\fR \fIFILE\fR] [\fB\-o\fR \fIkey\fR=\fIvalue\fR]... \fICOMMAND\fR [\fB\-\-json\fR]
.SH DESCRIPTION
Reads and serves what
.BR crumbd (8)
has stored. The options are those of crumbd; the ones that matter are store.path, rules.path and privacy.k.
.SH COMMANDS
TOP
	"$b/crumb" --help | sed -n '/^commands:/,/^$/s/^  \([a-z]*\( [a-z]*\)\{0,1\}\)  .*/\1/p' | while read -r command; do
		# shellcheck disable=SC2086 # a command may have two words
		"$b/crumb" help $command | roff | section
	done
	cat <<'END'
.SH ENVIRONMENT
CRUMB_CONFIG: the file of configuration that is taken without \fB\-c\fR; where it is empty none is.
.SH FILES
/etc/crumb/crumb.yaml: the one that is taken without either.
.SH EXIT STATUS
0: fine. 1: something is wrong, or nothing was found. 2: misuse.
.SH SEE ALSO
.BR crumbd (8)
END
} >"$out/crumb.1"

{
	cat <<'TOP'
.TH CRUMBD 8 "" "@VERSION@" "System administration"
.ad l
.SH NAME
crumbd \- pixel and tag server of crumb
.SH SYNOPSIS
.B crumbd
[\fB\-c\fR \fIFILE\fR] [\fB\-o\fR \fIkey\fR=\fIvalue\fR]... [\fB\-\-take\-over\fR] [\fB\-\-test\-clock\fR] [\fB\-v\fR]
.SH DESCRIPTION
TOP
	"$b/crumbd" --help | sed -n '/^When/,/^$/p' | roff
	echo .SH OPTIONS
	"$b/crumbd" --help | sed -n 's/^ *\(-.*[^ ]\)   *\([^ ].*\)$/\1\n\2/p' | roff | sed '1~2s/^/.TP\n.B /'
	printf '.SH CONFIGURATION\nIn the file, a dot is a level: store.path is path: below store:. After the sign stands the default.\n'
	"$b/crumbd" --help | sed '1,/^options:/d' | roff | awk '/^  [^ ]/ { print ".TP\n.B " $1; sub(/^ *[^ ]+ */, ""); if (NF) print; next } { sub(/^ +/, ""); print }'
	cat <<'END'
.SH SIGNALS
SIGHUP reads rules and destinations again. SIGTERM answers what was asked and ends.
.SH ENVIRONMENT
LISTEN_FDS, LISTEN_FDNAMES: sockets of a service manager, named collect or admin. NOTIFY_SOCKET, WATCHDOG_USEC: it is told how crumbd is.
.SH FILES
/etc/crumb/crumb.yaml, /usr/share/doc/crumb/docs/OPERATING.md
.SH SEE ALSO
.BR crumb (1)
END
} >"$out/crumbd.8"

for page in crumb.1 crumbd.8; do
	sed -i "s/@VERSION@/$version/" "$out/$page"
done
