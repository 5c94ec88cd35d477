#!/bin/sh
# completion.sh [BUILD]: bash's completion for crumb and crumbd, made from what the programs say of themselves, so that it cannot differ from --help.
set -eu
b=${1:-build}
commands=$("$b/crumb" --help | sed -n '/^commands:/,/^$/s/^  \([a-z]*\( [a-z]*\)\{0,1\}\)  .*/\1/p' | sed 's, *$,,')

words() { # the distinct ones of stdin in a line
	sort -u | tr '\n' ' ' | sed 's/ *$//'
}

cat <<'TOP'
# bash completion for crumb and crumbd
_crumb_one_of() {
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
}

# What follows -o: a name, or behind the sign one of its words.
_crumb_option() {
	local name
	if [[ $cur == *=* ]]; then
		name=${cur%%=*} cur=${cur#*=}
		case $name in
TOP
"$b/crumbd" --help | sed '1,/^options:/d' | awk '/^  [^ ]/ { sub(/=.*/, ""); name = $1; next } match($0, /\([a-z]+(\|[a-z]+)+\)$/) {
	words = substr($0, RSTART + 1, RLENGTH - 2); gsub(/\|/, " ", words); print "\t\t" name ") _crumb_one_of \"" words "\" ;;" }'
cat <<'MID'
		*) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
		esac
		return
	fi
MID
printf '\t_crumb_one_of "%s"\n' "$("$b/crumbd" --help | sed '1,/^options:/d' | sed -n 's/^  \([a-z_.0-9]*=\).*/\1/p' | words)"
cat <<'MID'
	compopt -o nospace 2>/dev/null
}

# Sets cur and prev; bash takes "key=value" for three words.
_crumb_where() {
	cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	if [[ $cur == = && $COMP_CWORD -ge 2 ]]; then
		cur=$prev= prev=${COMP_WORDS[COMP_CWORD - 2]}
	elif [[ $prev == = && $COMP_CWORD -ge 3 ]]; then
		cur=${COMP_WORDS[COMP_CWORD - 2]}=$cur prev=${COMP_WORDS[COMP_CWORD - 3]}
	fi
}

_crumb_shared() {
	case $prev in
	-o) _crumb_option ;;
	-c | --config | --out) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	*) return 1 ;;
	esac
	return 0
}

_crumb() {
	local cur prev i first= second=
	COMPREPLY=()
	_crumb_where
	_crumb_shared && return
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-o) while [[ ${COMP_WORDS[i + 2]-} == = ]]; do ((i += 2)); done; ((i++)) ;;
		-c | --config) ((i++)) ;;
		-*) ;;
		help) ;;
		*) if [[ -z $first ]]; then first=${COMP_WORDS[i]}; elif [[ -z $second ]]; then second=${COMP_WORDS[i]}; fi ;;
		esac
	done
MID
printf '\tif [[ -z $first ]]; then\n\t\t_crumb_one_of "%s help -c -o --version"\n\t\treturn\n\tfi\n' "$(echo "$commands" | cut -d' ' -f1 | words)"
printf '\tcase "$first $second" in\n'
echo "$commands" | sort -r | while read -r command; do
	flags=$("$b/crumb" help $command | sed -n '/^SYNOPSIS/,/^DESCRIPTION/p' | grep -o -- '--[a-z-]*' | words) # shellcheck disable=SC2086
	case $command in
	*' '*) printf '\t"%s") if [[ $cur == -* ]]; then _crumb_one_of "%s"; else mapfile -t COMPREPLY < <(compgen -f -- "$cur"); fi ;;\n' "$command" "$flags" ;;
	esac
done
for first in $(echo "$commands" | cut -d' ' -f1 | sort -u); do
	seconds=$(echo "$commands" | sed -n "s/^$first //p" | words)
	flags=
	echo "$commands" | grep -qx "$first" && flags=$("$b/crumb" help "$first" | sed -n '/^SYNOPSIS/,/^DESCRIPTION/p' | grep -o -- '--[a-z-]*' | words)
	if [ -n "$seconds" ]; then
		printf '\t"%s "*) _crumb_one_of "%s" ;;\n' "$first" "$seconds${flags:+ $flags}"
	else
		printf '\t"%s "*) if [[ $cur == -* ]]; then _crumb_one_of "%s"; else mapfile -t COMPREPLY < <(compgen -f -- "$cur"); fi ;;\n' "$first" "$flags"
	fi
done
cat <<'MID'
	esac
}

_crumbd() {
	local cur prev
	COMPREPLY=()
	_crumb_where
MID
printf '\t_crumb_shared || _crumb_one_of "%s"\n}\n' "$("$b/crumbd" --help | sed '/^options:/,$d' | sed -n 's/^ *\(-.*\)/\1/p' | grep -o -- '^-[a-z]\|--[a-z-]*' | words)"
printf 'complete -F _crumb crumb\ncomplete -F _crumbd crumbd\n'
