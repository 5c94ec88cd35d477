#!/usr/bin/python3
"""man.py FOLDER [BUILD]: writes crumb.1 and crumbd.8 from the rows that 'crumb reference' tells, and from crumbd --help."""
import json
import os
import re
import subprocess
import sys

CRUMB = '''.TH CRUMB 1 "" "%s" "User commands"
.ad l
.SH NAME
crumb \\- commands for a data management platform for anonymous audiences
.SH SYNOPSIS
.B crumb
[\\fB\\-c\\fR \\fIFILE\\fR] [\\fB\\-o\\fR \\fIkey\\fR=\\fIvalue\\fR]... \\fICOMMAND\\fR [\\fB\\-\\-json\\fR]
.SH DESCRIPTION
Reads and serves what
.BR crumbd (8)
has stored. The options are those of crumbd; the ones that matter are store.path, rules.path and privacy.k.
.SH COMMANDS
'''
CRUMB_END = '''.SH ENVIRONMENT
CRUMB_CONFIG: the file of configuration that is taken without \\fB\\-c\\fR; where it is empty none is.
.PP
CRUMB_TOKEN: a token (crumb token add) with which a running server is asked, instead of its own.
.SH FILES
/etc/crumb/crumb.yaml: the one that is taken without either.
.SH EXIT STATUS
0: fine. 1: something is wrong, or nothing was found. 2: misuse.
.SH SEE ALSO
.BR crumbd (8)
'''
CRUMBD = '''.TH CRUMBD 8 "" "%s" "System administration"
.ad l
.SH NAME
crumbd \\- pixel and tag server of crumb
.SH SYNOPSIS
.B crumbd
[\\fB\\-c\\fR \\fIFILE\\fR] [\\fB\\-o\\fR \\fIkey\\fR=\\fIvalue\\fR]... [\\fB\\-\\-take\\-over\\fR] [\\fB\\-\\-test\\-clock\\fR] [\\fB\\-v\\fR]
.SH DESCRIPTION
'''
CONFIGURATION = '''.SH CONFIGURATION
In the file, a dot is a level: store.path is path: below store:. After the sign stands the default.
'''
CRUMBD_END = '''.SH SIGNALS
SIGHUP reads rules and destinations again. SIGTERM answers what was asked and ends.
.SH ENVIRONMENT
LISTEN_FDS, LISTEN_FDNAMES: sockets of a service manager, named collect or admin. NOTIFY_SOCKET, WATCHDOG_USEC: it is told how crumbd is.
.SH FILES
/etc/crumb/crumb.yaml, /usr/share/doc/crumb/docs/OPERATING.md
.SH SEE ALSO
.BR crumb (1)
'''


def roff(text):
    """With what roff would take for its own taken away; JSON may be broken behind its commas."""
    text = text.replace('\\', '\\e').replace('-', '\\-').replace("'", '\\(aq')
    return re.sub(r'^( *)\.', r'\1\\&.', text, flags=re.M).replace('",', '",\\:')


def paragraphs(text):
    for line in text.splitlines():
        line = line[2:] if line.startswith('  ') else line
        if not line.strip():
            yield '.PP'
            continue
        if line.startswith(' '):
            yield '.br'
        yield line.lstrip(' ')


def command(c):
    yield '.SS %s' % c['name']
    yield '%s.' % c['summary']
    yield '.PP\n.B crumb %s\n.PP' % ' '.join((c['name'] + ' ' + c['args']).split())
    yield from paragraphs(c['help'])


def crumb(ref, version):
    text = '\n'.join(line for c in ref['commands'] for line in command({k: roff(v) for k, v in c.items() if isinstance(v, str)}))
    return CRUMB % version + text + '\n' + CRUMB_END


def option(o):
    bounds = ('%d to %d %s' % (o['min'], o['max'], o['unit']) if o['kind'] == 'number'
              else '|'.join(o['words']) if o['kind'] == 'choice' else o['unit'])
    return '.TP\n.B %s\n%s' % (roff('%s=%s' % (o['name'], o['default'])),
                               roff('%s%s (%s)' % (o['help'], ' [SIGHUP]' if o['live'] else '', bounds)))


def crumbd(ref, version, usage):
    told = re.search(r'^When.*?\n(?=\n)', usage, re.M | re.S).group(0)
    flags = re.findall(r'^ *(-.*\S)   *(\S.*)$', usage.split('\noptions:')[0], re.M)
    text = CRUMBD % version + roff(told) + '.SH OPTIONS\n'
    text += ''.join('.TP\n.B %s\n%s\n' % (roff(flag), roff(what)) for flag, what in flags) + CONFIGURATION
    for group in ref['option-groups']:
        text += '.SS %s\n%s\n' % (roff(group['name']), roff(group['help']))
        text += ''.join(option(o) + '\n' for o in ref['options'] if o['group'] == group['name'])
    return text + CRUMBD_END


def main():
    folder, build = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else 'build'

    def said(program, *words):
        return subprocess.run([os.path.join(build, program), *words], stdout=subprocess.PIPE, check=True, universal_newlines=True, encoding='utf-8').stdout
    os.makedirs(folder, exist_ok=True)
    ref, version = json.loads(said('crumb', 'reference')), said('crumb', '--version').strip()
    for page, text in (('crumb.1', crumb(ref, version)), ('crumbd.8', crumbd(ref, version, said('crumbd', '--help')))):
        with open(os.path.join(folder, page), 'w', encoding='utf-8') as f:
            f.write(text)


if __name__ == '__main__':
    main()
