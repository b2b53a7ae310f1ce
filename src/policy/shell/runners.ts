/** Shells: what stands behind `-c`, or in their input, is run. */
export const shells: ReadonlySet<string> = new Set(
  'sh bash dash ash zsh ksh mksh fish csh tcsh elvish nu xonsh rbash cmd powershell pwsh'.split(
    ' ',
  ),
)

/** Commands that run the words behind them as a command. */
export const wrappers: ReadonlySet<string> = new Set([
  ...shells,
  ...'sudo doas su runuser env xargs parallel nohup time timeout nice ionice chrt taskset'.split(
    ' ',
  ),
  ...'setsid stdbuf unbuffer command builtin exec eval busybox toybox watch strace ltrace'.split(
    ' ',
  ),
  ...'chroot unshare nsenter fakeroot setarch linux32 linux64 systemd-run flock script'.split(' '),
  ...'caffeinate start wsl ssh rsh setpriv capsh catchsegv valgrind proot coproc noglob'.split(' '),
])

/** Commands of which one of the words, or all together, may be the text of a command line. */
export const readers: ReadonlySet<string> = new Set([
  ...wrappers,
  ...'trap alias docker podman nerdctl kubectl oc tmux screen at batch crontab tar'.split(' '),
  ...'invoke-expression iex start-process osascript expect lxc machinectl vagrant'.split(' '),
])

/** Commands that take the rest of their arguments from their input. */
export const gatherers: ReadonlySet<string> = new Set(['xargs', 'parallel'])

/** Interpreters of other languages: what they are given is a program, which may start anything. */
export const interpreters: RegExp =
  /^(?:python|pypy|perl|ruby|node|nodejs|deno|bun|php|lua|luajit|tclsh|wish|awk|gawk|mawk|nawk|sed|gsed|vi|vim|nvim|view|ex|ed|emacs|rscript|r|guile|julia|groovy|jshell|psql|mysql|sqlite3|gdb|lldb|make|gmake)[0-9.]*$/

/** Whether the program may be told to run others, so that a grant of its name alone says nothing of what it does. */
export function isRunner(program: string): boolean {
  return (
    wrappers.has(program) ||
    readers.has(program) ||
    interpreters.test(program) ||
    otherRunners.has(program)
  )
}

const otherRunners: ReadonlySet<string> = new Set([
  ...'source . find fd git npm npx yarn pnpm corepack cargo go pip pip3 pipx uv uvx poetry'.split(
    ' ',
  ),
  ...'java mvn gradle ant dotnet msbuild bazel cmake ninja just task tox nox rake bundle'.split(
    ' ',
  ),
  ...'rsync scp sftp ftp curl wget man less more most pager apt apt-get yum dnf apk brew'.split(
    ' ',
  ),
  ...'systemctl service crontab ansible ansible-playbook terraform helm socat nc ncat netcat'.split(
    ' ',
  ),
  ...'rundll32 regsvr32 mshta wscript cscript wmic forfiles certutil bitsadmin call for if'.split(
    ' ',
  ),
])
