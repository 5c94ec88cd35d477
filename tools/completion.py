#!/usr/bin/python3
"""completion.py [BUILD]: bash's completion for crumb and crumbd, made from the rows that 'crumb reference' tells, and from crumbd --help."""
import json
import os
import re
import subprocess
import sys

TEXT = '''# bash completion for crumb and crumbd
_crumb_one_of() {
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
}

# What follows -o: a name, or behind the sign one of its words.
_crumb_option() {
	local name
	if [[ $cur == *=* ]]; then
		name=${cur%%=*} cur=${cur#*=}
		case $name in
@CHOICES@
		*) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
		esac
		return
	fi
	_crumb_one_of "@OPTIONS@"
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
	if [[ -z $first ]]; then
		_crumb_one_of "@FIRST@ help -c -o --version"
		return
	fi
	case "$first $second" in
@COMMANDS@
	esac
}

_crumbd() {
	local cur prev
	COMPREPLY=()
	_crumb_where
	_crumb_shared || _crumb_one_of "@FLAGS@"
}
complete -F _crumb crumb
complete -F _crumbd crumbd
'''
FILES = 'mapfile -t COMPREPLY < <(compgen -f -- "$cur")'


def line(words):
    return ' '.join(sorted(set(words)))


def flags(args):
    return re.findall(r'--[a-z-]+', args)


def cases(commands):
    """What follows a command. Those of two words come first, for a case takes the first that fits."""
    for c in commands:
        if ' ' in c['name']:
            yield '\t"%s") if [[ $cur == -* ]]; then _crumb_one_of "%s"; else %s; fi ;;' % (c['name'], line(flags(c['args'])), FILES)
    for first in sorted({c['name'].split()[0] for c in commands}):
        seconds = [c['name'].split()[1] for c in commands if c['name'].startswith(first + ' ')]
        own = [f for c in commands if c['name'] == first for f in flags(c['args'])]
        if seconds:
            yield '\t"%s "*) _crumb_one_of "%s" ;;' % (first, line(seconds + own))
        else:
            yield '\t"%s "*) if [[ $cur == -* ]]; then _crumb_one_of "%s"; else %s; fi ;;' % (first, line(own), FILES)


def main():
    build = sys.argv[1] if len(sys.argv) > 1 else 'build'

    def said(program, *words):
        return subprocess.run([os.path.join(build, program), *words], stdout=subprocess.PIPE, check=True, universal_newlines=True, encoding='utf-8').stdout
    ref, usage = json.loads(said('crumb', 'reference')), said('crumbd', '--help').split('\noptions:')[0]
    made = {
        'CHOICES': '\n'.join('\t\t%s) _crumb_one_of "%s" ;;' % (o['name'], ' '.join(o['words'])) for o in ref['options'] if o['kind'] == 'choice'),
        'OPTIONS': line(o['name'] + '=' for o in ref['options']),
        'FIRST': line(c['name'].split()[0] for c in ref['commands']),
        'COMMANDS': '\n'.join(cases(ref['commands'])),
        'FLAGS': line(f for l in re.findall(r'^ *(-.*)', usage, re.M) for f in re.findall(r'--[a-z-]+|(?<![\w-])-[a-z]\b', l)),
    }
    sys.stdout.write(re.sub('@([A-Z]+)@', lambda m: made[m.group(1)], TEXT))


if __name__ == '__main__':
    main()
