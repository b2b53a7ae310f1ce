import { resolve } from 'node:path'
import { patterns } from './vocabulary.ts'

/** How the connection is protected: not at all, or with a certificate that is checked. */
export type TlsMode = 'disable' | 'verify-full'

/** Where a database is and who comes to it, without the password. */
export interface PostgresAddress {
  /** A host name, an address, or the folder of a Unix socket. */
  readonly host: string
  readonly port: number
  readonly user: string
  readonly database: string
  /** Holds everything of one log. */
  readonly schema: string
  readonly tls: TlsMode
  /** The certificates that are trusted instead of the system's, a file in PEM. */
  readonly tlsRoot: string | undefined
  /** A file that holds the password and nothing else; undefined for `PGPASSWORD` or none. */
  readonly passwordFile: string | undefined
}

/** What is wrong with an address; the text itself is never repeated, it may hold a password (THREATS B27). */
export interface AddressProblem {
  readonly problem: string
  readonly hint: string
}

const hint =
  'write `postgres://USER@HOST/DATABASE`; the password comes from `PGPASSWORD`, or from a file: `?passwordfile=PATH`'
const parameters: readonly string[] = ['host', 'schema', 'sslmode', 'sslrootcert', 'passwordfile']
const defaultPort = 5432
/** PostgreSQL folds other names, and cuts longer ones. */
const identifier = /^[a-z_][a-z0-9_]{0,62}$/
const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/

/**
 * Reads `postgres://USER@HOST:PORT/DATABASE?…`.
 *
 * A password in it is refused: it would stand in configuration files, in `ps` and in shell histories.
 *
 * @param folder that relative paths start from
 * @returns what is wrong with the text when it is no such address
 */
export function parsePostgresAddress(text: string, folder = '.'): PostgresAddress | AddressProblem {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    // What the parser says repeats the text.
    return { problem: 'is no address of a PostgreSQL database', hint }
  }
  if (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:') {
    return { problem: 'is no address of a PostgreSQL database', hint }
  }
  if (url.password !== '') return { problem: 'holds a password', hint }
  const fields = readFields(url)
  const address = 'problem' in fields ? fields : checkFields(fields, folder)
  // What editors refuse by the schema is refused here too.
  const isPlain = 'problem' in address || patterns.storage.test(text)
  return isPlain ? address : { problem: 'is no plain address of a PostgreSQL database', hint }
}

/** How the names begin of what a machine keeps for a log in a database, whichever host it has come to by now. */
export function localName({ database, schema }: PostgresAddress): string {
  return `${database}-${schema}`.replaceAll(/[^A-Za-z0-9.-]+/g, '_')
}

interface Fields {
  readonly url: URL
  readonly user: string
  readonly database: string
  readonly given: ReadonlyMap<string, string>
}

function readFields(url: URL): Fields | AddressProblem {
  const given = new Map<string, string>()
  for (const [name, value] of url.searchParams) {
    if (!parameters.includes(name) || given.has(name)) {
      const known = parameters.map((one) => `\`${one}\``).join(', ')
      return {
        problem: 'has a parameter that is unknown or stands there twice',
        hint: `known are ${known}`,
      }
    }
    given.set(name, value)
  }
  try {
    const user = decodeURIComponent(url.username)
    return { url, user, database: decodeURIComponent(url.pathname.slice(1)), given }
  } catch {
    // Only a percent sign that begins no character.
    return { problem: 'has a `%` in it that stands for nothing', hint }
  }
}

function checkFields(
  { url, user, database, given }: Fields,
  folder: string,
): PostgresAddress | AddressProblem {
  const host = given.get('host') ?? url.hostname.replace(/^\[(.*)\]$/, '$1')
  const schema = given.get('schema') ?? 'capfence'
  const isLocal = host.startsWith('/') || loopback.test(host)
  const tls = given.get('sslmode') ?? (isLocal ? 'disable' : 'verify-full')
  if (user === '') return { problem: 'names no user', hint }
  if (host === '') return { problem: 'names no host', hint }
  if (database === '' || database.includes('/')) return { problem: 'names no database', hint }
  if (given.has('host') && !host.startsWith('/')) {
    return { problem: 'has a `host` that is no folder of a Unix socket', hint }
  }
  if (!identifier.test(schema)) {
    return {
      problem: 'has a `schema` that is no plain name',
      hint: 'take lower-case letters, digits and `_`, 63 at most',
    }
  }
  if (tls !== 'disable' && tls !== 'verify-full') {
    return {
      problem: 'has an `sslmode` that is not supported',
      hint: '`verify-full` checks the certificate (the default but on this machine), `disable` does without',
    }
  }
  const port = url.port === '' ? defaultPort : Number(url.port)
  const [tlsRoot, passwordFile] = ['sslrootcert', 'passwordfile'].map((name) => {
    const path = given.get(name)
    return path === undefined ? undefined : resolve(folder, path)
  })
  return { host, port, user, database, schema, tls, tlsRoot, passwordFile }
}
