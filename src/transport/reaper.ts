import { spawn, type ChildProcess } from 'node:child_process'
import type { Writable } from 'node:stream'

// The whole program. It has its own session, so no signal to the gate's group or terminal reaches it, and ignores the
// rest. A line `+7` registers process group 7, `-7` takes it out again; the end of the input means that the gate is
// gone, however it went. Then what is still registered gets a moment to act on the end of its own input, SIGTERM, a
// moment to tidy up, and SIGKILL. A group that was taken out is never touched: its number may be somebody else's by now.
//
// On Linux, descendants that went into another group end too (group.ts says which), known by pid and start time: those
// are fields 1 and 22 of /proc/*/stat, and the fields after the name in parentheses start with state, parent and group.
// `sleep 0.1` is not POSIX but works in GNU, BSD, macOS and busybox; elsewhere a whole second passes instead.
/**
 * The program of the reaper, for `/bin/sh`.
 *
 * @internal Exported for tests only.
 */
export const reaperProgram: string = `
trap '' HUP INT QUIT TERM PIPE ALRM USR1 USR2 TSTP TTIN TTOU
set -f
groups=' '
strays=' '
while read -r line; do
  number=\${line#?}
  case $number in ''|0*|1|*[!0-9]*) continue;; esac
  case $line in
    +*) case $groups in *" $number "*) ;; *) groups="$groups$number ";; esac;;
    -*) case $groups in
          *" $number "*) groups="\${groups%%" $number "*} \${groups#*" $number "}";;
        esac;;
  esac
done
[ "$groups" = ' ' ] && exit 0

table() {
  set +f
  for file in /proc/[0-9]*/stat; do
    read -r line <"$file" || continue
    set -f; set -- \${line##*) }; set +f
    file=\${file#/proc/}
    echo "\${file%/stat}:$2:$3:\${20}"
  done
  set -f
}
look() {
  rows=$(table)
  family=' '
  for stray in $strays; do family="$family\${stray%:*} "; done
  grown=yes
  while [ -n "$grown" ]; do
    grown=
    for row in $rows; do
      pid=\${row%%:*}; row=\${row#*:}
      parent=\${row%%:*}; row=\${row#*:}
      case $family in *" $pid "*) continue;; esac
      case $groups in
        *" \${row%%:*} "*) ;;
        *) case $family in *" $parent "*) strays="$strays$pid:\${row#*:} ";; *) continue;; esac;;
      esac
      family="$family$pid "
      grown=yes
    done
  done
}
is_there() {
  read -r line <"/proc/\${1%:*}/stat" || return 1
  set -- "$1" \${line##*) }
  [ "$2" != Z ] && [ "\${21}" = "\${1#*:}" ]
}
signal() {
  for group in $groups; do kill -s "$1" -- "-$group"; done
  for stray in $strays; do is_there "$stray" && kill -s "$1" "\${stray%:*}"; done
}
living() {
  for group in $groups; do kill -s 0 -- "-$group" && return 0; done
  for stray in $strays; do is_there "$stray" && return 0; done
  return 1
}
settle() {
  turns=0
  while [ $turns -lt "$1" ] && living; do sleep 0.1 || sleep 1; turns=$((turns + 1)); done
}
look
settle 3
signal TERM
signal CONT
settle 7
look
signal KILL
`

/** A reaper that ends sooner than this after its start is not started again, milliseconds. */
const shortLifeMs = 1000

/**
 * Ends the process groups of this process's children when this process dies without having done so (THREATS B33).
 *
 * A SIGKILL cannot be caught, so the work is done by a second, tiny process that only waits for this one to be gone. It
 * is started when first needed and again when something ended it; it does not keep this process alive. POSIX only.
 */
export class Reaper {
  readonly #onUnguarded: (reason: string) => void
  readonly #groups = new Set<number>()
  #process: ReaperProcess | undefined
  #usable = true

  /** @param onUnguarded told when no reaper can be had: from then on the guarantee does not hold */
  constructor(onUnguarded: (reason: string) => void) {
    this.#onUnguarded = onUnguarded
  }

  /** The pipe on which a child registers itself before it runs anything (spawn.ts); undefined when there is no reaper. */
  get pipe(): Writable | undefined {
    if (this.#process === undefined && this.#usable) this.#start()
    const input = this.#process?.input
    return input?.destroyed === true ? undefined : input
  }

  /** Undefined when it does not run. */
  get pid(): number | undefined {
    return this.#process?.child.pid
  }

  watch(group: number): void {
    this.#groups.add(group)
    this.pipe?.write(`+${group}\n`)
  }

  /** To be called as soon as nothing of the group lives, before its number can be used again. */
  forget(group: number): void {
    if (this.#groups.delete(group)) this.#process?.input.write(`-${group}\n`)
  }

  /** Ends the reaper, and whatever is still watched. */
  close(): void {
    this.#usable = false
    const running = this.#process
    this.#process = undefined
    running?.input.end()
  }

  #start(): void {
    const running = startProcess()
    if (running === undefined) return this.#giveUp('`/bin/sh` cannot be started')
    this.#process = running
    const lost = (): void => {
      if (this.#process !== running) return
      this.#process = undefined
      running.input.destroy()
      if (performance.now() - running.startedAtMs < shortLifeMs) this.#giveUp('it ends at once')
      else if (this.#groups.size > 0) this.#start()
    }
    running.child.on('exit', lost)
    running.input.on('error', lost)
    for (const group of this.#groups) running.input.write(`+${group}\n`)
  }

  #giveUp(reason: string): void {
    this.#usable = false
    this.#onUnguarded(`no reaper: ${reason}; servers may outlive a gate that is killed`)
  }
}

interface ReaperProcess {
  readonly child: ChildProcess
  readonly input: Writable
  readonly startedAtMs: number
}

function startProcess(): ReaperProcess | undefined {
  const child = spawn('/bin/sh', ['-c', reaperProgram, 'capfence-reaper'], {
    cwd: '/',
    detached: true,
    env: { PATH: '/usr/bin:/bin' },
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  // A failure to start is seen by the missing pid; a signal is never sent, so no other error comes.
  child.on('error', () => undefined)
  if (child.pid === undefined) return undefined
  child.unref()
  return { child, input: child.stdin, startedAtMs: performance.now() }
}
