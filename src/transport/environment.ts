/** What the environment of a server is made from. */
export interface EnvironmentOptions {
  /** The environment of this process. */
  readonly inherited: Readonly<Record<string, string | undefined>>
  /** What the configuration gives this server under `env`; wins over what is inherited. */
  readonly declared: Readonly<Record<string, string>>
  /** `whole` for the only wrapped server, which would have had it all without the gate; `base` for one of several. */
  readonly scope: 'whole' | 'base'
  readonly platform: NodeJS.Platform
}

// One of several servers must not see the secrets of the others, so it gets only what a program needs to find itself,
// its files and its language. Nothing here carries authority: no agent sockets, no tokens, no NODE_OPTIONS, and no
// HTTP_PROXY, which may hold a password. What one server needs beyond this belongs under its `env`.
const posixBase: ReadonlySet<string> = new Set([
  // Who runs it, and where the programs are.
  ...['HOME', 'LOGNAME', 'PATH', 'SHELL', 'TERM', 'USER'],
  // Language and time zone of what it prints; LC_* is matched below.
  ...['LANG', 'LANGUAGE', 'TZ'],
  // Where it may put files; sandboxed and snap-like homes differ from the default.
  ...['TMPDIR', 'XDG_CACHE_HOME', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'XDG_STATE_HOME'],
  'XDG_RUNTIME_DIR',
  // Certificate authorities of a company network, without which no HTTPS works; paths, not secrets.
  ...['SSL_CERT_FILE', 'SSL_CERT_DIR', 'NODE_EXTRA_CA_CERTS', 'REQUESTS_CA_BUNDLE'],
])

const windowsBase: ReadonlySet<string> = new Set([
  ...['APPDATA', 'HOMEDRIVE', 'HOMEPATH', 'LOCALAPPDATA', 'USERNAME', 'USERPROFILE'],
  ...['ALLUSERSPROFILE', 'PROGRAMDATA', 'PUBLIC'],
  // Without SYSTEMROOT neither sockets nor random numbers work; COMSPEC and PATHEXT find programs.
  ...['COMSPEC', 'PATH', 'PATHEXT', 'SYSTEMDRIVE', 'SYSTEMROOT', 'WINDIR'],
  ...['PROGRAMFILES', 'PROGRAMFILES(X86)', 'PROGRAMW6432'],
  ...['COMMONPROGRAMFILES', 'COMMONPROGRAMFILES(X86)', 'COMMONPROGRAMW6432'],
  ...['NUMBER_OF_PROCESSORS', 'OS', 'PROCESSOR_ARCHITECTURE'],
  ...['TEMP', 'TMP', 'TERM', 'LANG', 'TZ'],
  ...['SSL_CERT_FILE', 'SSL_CERT_DIR', 'NODE_EXTRA_CA_CERTS', 'REQUESTS_CA_BUNDLE'],
])

/**
 * The environment a server is started with (THREATS B33).
 *
 * Nothing named `CAPFENCE_*` ever reaches a server, inherited or declared: those name the gate's own files and keys.
 * Names are compared without case on Windows, where `Path` and `PATH` are one variable.
 */
export function childEnvironment(options: EnvironmentOptions): Record<string, string> {
  const windows = options.platform === 'win32'
  const sameName = (name: string): string => (windows ? name.toUpperCase() : name)
  const environment = new Map<string, readonly [name: string, value: string]>()
  for (const [name, value] of Object.entries(options.inherited)) {
    if (value === undefined) continue
    if (options.scope === 'base' && !belongsToBase(sameName(name), value, windows)) continue
    environment.set(sameName(name), [name, value])
  }
  for (const [name, value] of Object.entries(options.declared)) {
    environment.set(sameName(name), [name, value])
  }
  return Object.fromEntries([...environment.values()].filter(([name]) => !isOwnName(name)))
}

function belongsToBase(name: string, value: string, windows: boolean): boolean {
  // Some shells export functions as variables; code does not belong into a base environment.
  if (value.startsWith('()')) return false
  if (windows) return windowsBase.has(name)
  return posixBase.has(name) || name.startsWith('LC_')
}

function isOwnName(name: string): boolean {
  return name.toUpperCase().startsWith('CAPFENCE_')
}
