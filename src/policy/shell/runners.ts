const shells =
  /^(?:sh|bash|dash|ash|zsh|ksh|mksh|pdksh|lksh|oksh|fish|csh|tcsh|yash|posh|sash|hush|osh|ysh|elvish|nu|xonsh|rbash|rksh|cmd|powershell|pwsh)(?:-static|-preview)?(?:[-_]?[0-9][0-9.]*)?$/

/** Whether the program is a shell: what stands behind `-c`, or in its input, is run. */
export function isShell(program: string): boolean {
  return shells.test(program)
}

/** Commands that run the words behind them as a command. */
const wrappers: ReadonlySet<string> = new Set([
  ...'sudo doas su runuser pkexec run0 gosu su-exec setuidgid s6-setuidgid chpst env'.split(' '),
  ...'xargs parallel sem nohup time timeout nice ionice chrt taskset prlimit numactl'.split(' '),
  ...'setsid stdbuf unbuffer command builtin exec eval busybox toybox watch strace ltrace'.split(
    ' ',
  ),
  ...'chroot unshare nsenter fakeroot setarch linux32 linux64 systemd-run flock script'.split(' '),
  ...'caffeinate start wsl ssh rsh setpriv capsh catchsegv valgrind proot coproc noglob'.split(' '),
  ...'tini dumb-init catatonit cgexec firejail bwrap systemd-inhibit dbus-run-session'.split(' '),
  ...'xvfb-run proxychains proxychains4 torsocks torify rlwrap faketime chronic'.split(' '),
])

/** Whether the program runs the words behind it as a command. */
export function isWrapper(program: string): boolean {
  return wrappers.has(program) || isShell(program)
}

/** Those of them that take a word for themselves before the command: a time, a host, a user, a file. */
export const takers: ReadonlySet<string> = new Set([
  ...'timeout chroot flock taskset chrt setarch ssh rsh su runuser gosu su-exec'.split(' '),
  ...'setuidgid s6-setuidgid chpst faketime'.split(' '),
])

const readers: ReadonlySet<string> = new Set([
  ...'trap alias docker podman nerdctl kubectl oc tmux screen at batch crontab tar'.split(' '),
  ...'invoke-expression iex start-process osascript expect lxc machinectl vagrant'.split(' '),
  ...'rsync zip man less more nano entr watchexec hyperfine concurrently nodemon npx'.split(' '),
  ...'fzf nix-shell mapfile readarray complete compgen bind'.split(' '),
])

/** Whether one of the words behind the program, all together, or its input may be the text of a command line. */
export function isReader(program: string): boolean {
  return readers.has(program) || isWrapper(program)
}

/** Commands that run what they find in their input later. */
export const schedulers: ReadonlySet<string> = new Set(['at', 'batch', 'crontab'])

/** Commands that take the rest of their arguments from their input. */
export const gatherers: ReadonlySet<string> = new Set(['xargs', 'parallel', 'sem'])

const interpreters =
  /^(?:python|pythonw|py|pypy|ipython|perl|ruby|node|nodejs|deno|bun|php|lua|luajit|tclsh|wish|awk|gawk|mawk|nawk|sed|gsed|vi|vim|nvim|view|ex|ed|emacs|rscript|r|guile|julia|groovy|jshell|psql|mysql|sqlite3|gdb|lldb|make|gmake|ftp|sftp|lftp)[0-9.]*$/

/** Whether the program is an interpreter of another language: what it is given is a program, which may start anything. */
export function isInterpreter(program: string): boolean {
  return interpreters.test(program)
}

const hollow: ReadonlySet<string> = new Set([
  ...'docker podman nerdctl kubectl oc tmux screen at batch tar lxc machinectl find fd git'.split(
    ' ',
  ),
])

/** Whether the program waits for more, or does little, as long as it is given no words. */
export function needsWords(program: string): boolean {
  if (program === 'make' || program === 'gmake') return false
  return hollow.has(program) || isWrapper(program) || isInterpreter(program)
}

/** Whether the program may be told to run others, so that a grant of its name alone says nothing of what it does. */
export function isRunner(program: string): boolean {
  return isReader(program) || isInterpreter(program) || otherRunners.has(program)
}

const otherRunners: ReadonlySet<string> = new Set([
  ...'source . find fd git npm yarn pnpm corepack cargo go pip pip3 pipx uv uvx poetry'.split(' '),
  ...'java mvn gradle ant dotnet msbuild bazel cmake ninja just task tox nox rake bundle'.split(
    ' ',
  ),
  ...'scp curl wget most pager apt apt-get yum dnf apk brew'.split(' '),
  ...'systemctl service ansible ansible-playbook terraform helm socat nc ncat netcat'.split(' '),
  ...'rundll32 regsvr32 mshta wscript cscript wmic forfiles certutil bitsadmin call for if'.split(
    ' ',
  ),
])
