import { spawnSync } from 'node:child_process'
import { hasCommand, requireOrSkip } from './needs.ts'

/** Node cannot open a pseudo-terminal, Python can. */
export const noTerminal: boolean = requireOrSkip(
  'python3, which opens a pseudo-terminal',
  hasCommand('python3'),
)

const typist = `
import os, pty, select, sys, time
answers = sys.argv[1].split('|')
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
seen = b''
asked = 0
while True:
    try:
        chunk = os.read(fd, 4096)
    except OSError:
        break
    if not chunk:
        break
    seen += chunk
    if asked < len(answers) and seen.endswith(b': '):
        os.write(fd, answers[asked].encode() + b'\\r')
        asked += 1
_, status = os.waitpid(pid, 0)
sys.stdout.write(seen.decode())
sys.exit(os.waitstatus_to_exitcode(status))
`

/**
 * Runs a command on a pseudo-terminal, and answers each of its questions that end in a colon.
 *
 * @returns what the terminal showed
 */
export function typed(
  answers: readonly string[],
  command: readonly string[],
): { readonly stdout: string; readonly stderr: string; readonly status: number | null } {
  return spawnSync('python3', ['-c', typist, answers.join('|'), ...command], {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
    timeout: 60_000,
  })
}
