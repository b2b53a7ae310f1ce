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

/** The address as it may be shown to anybody. */
export function shownAddress({ host, port, user, database, schema }: PostgresAddress): string {
  const place = host.startsWith('/') ? '' : `${host.includes(':') ? `[${host}]` : host}:${port}`
  const socket = host.startsWith('/') ? `host=${host}&` : ''
  return `postgres://${encodeURIComponent(user)}@${place}/${encodeURIComponent(database)}?${socket}schema=${schema}`
}
