import { readFileSync, statSync } from 'node:fs'
import pg from 'pg'
import { CapFenceError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import { shownAddress } from './address.ts'
import type { PostgresAddress } from './address.ts'
import { ConnectionLost } from './failure.ts'

/** The rows of one statement. */
export type Rows = readonly Readonly<Record<string, Value>>[]

/** What a column holds; statements ask for nothing else. */
export type Value = string | number | null | Buffer

/** What a connection is for, as `pg_stat_activity` shows it. */
export type Purpose = 'capfence writer' | 'capfence reader' | 'capfence listener'

/** A value for a statement. */
export type SqlValue =
  | string
  | number
  | boolean
  | Buffer
  | null
  | readonly (string | number | Buffer | null)[]

const int8 = 20

/** One connection to the database, made when it is needed and again after it was lost. */
export class Connection {
  readonly #address: PostgresAddress
  readonly #purpose: Purpose
  #client: pg.Client | undefined
  #lost: Error | undefined

  constructor(address: PostgresAddress, purpose: Purpose) {
    this.#address = address
    this.#purpose = purpose
  }

  /** Whether there is one that is not known to be lost. */
  get isOpen(): boolean {
    return this.#client !== undefined && this.#lost === undefined
  }

  /**
   * Makes sure that there is a connection.
   *
   * @returns whether it is a new one, which holds no lock of the one before
   * @throws ConnectionLost, pg.DatabaseError; CapFenceError `AUDIT_UNAVAILABLE` when the password cannot be read
   */
  async open(): Promise<boolean> {
    if (this.isOpen) return false
    await this.close()
    const client = new pg.Client(clientConfig(this.#address, this.#purpose))
    this.#lost = undefined
    client.on('error', (error) => (this.#lost ??= error))
    client.on('end', () => (this.#lost ??= new Error('it was closed')))
    this.#client = client
    try {
      await client.connect()
      // Names are found in no schema that somebody else can put functions into.
      await client.query(`SET search_path = pg_catalog; SET client_encoding = 'UTF8'`)
    } catch (error) {
      await this.close()
      throw this.#failureOf(error)
    }
    return true
  }

  /** Several statements without values, in one round trip; the rows of each. */
  async script(sql: string): Promise<readonly Rows[]> {
    const found: unknown = await this.#run((client) => client.query(sql))
    const results = Array.isArray(found) ? found : [found]
    return results.map((result) => (isResult(result) ? result.rows : []))
  }

  /** One statement, prepared under a name when it has one. */
  async query(sql: string, values: readonly SqlValue[] = [], name?: string): Promise<Rows> {
    const result = await this.#run((client) =>
      client.query<Record<string, Value>>({
        text: sql,
        values: [...values],
        ...(name === undefined ? {} : { name }),
      }),
    )
    return result.rows
  }

  /**
   * COMMIT; whether it has happened is not known when the connection is lost with it.
   *
   * @throws pg.DatabaseError, ConnectionLost
   */
  async commit(): Promise<void> {
    const { command } = await this.#run((client) => client.query('COMMIT'))
    // The answer of a transaction in which something had failed.
    if (command !== 'COMMIT') throw new Error('the database has rolled a transaction back')
  }

  /** Ends the connection; what it has not committed is rolled back by the database. */
  async close(): Promise<void> {
    const client = this.#client
    this.#client = undefined
    if (client === undefined) return
    try {
      await Promise.race([client.end(), after(limits.maxDatabaseSilenceMs)])
    } catch {
      // It was lost already; the database notices by itself.
    }
  }

  /** Gives the connection up without a word, so that the next statement makes a new one. */
  abandon(): void {
    this.#lost ??= new Error('it was given up')
    void this.close()
  }

  async #run<T>(send: (client: pg.Client) => Promise<T>): Promise<T> {
    if (this.#client === undefined || this.#lost !== undefined) {
      throw this.#lostError(this.#lost)
    }
    try {
      return await send(this.#client)
    } catch (error) {
      throw this.#failureOf(error)
    }
  }

  #failureOf(error: unknown): unknown {
    if (error instanceof pg.DatabaseError) {
      // The server has closed the connection with it.
      if (error.severity === 'FATAL' || error.severity === 'PANIC') this.#lost ??= error
      return error
    }
    if (error instanceof CapFenceError) return error
    this.#lost ??= error instanceof Error ? error : new Error(String(error))
    return this.#lostError(error)
  }

  #lostError(cause: unknown): ConnectionLost {
    const what = cause instanceof Error && cause.message !== '' ? cause.message : codeOf(cause)
    return new ConnectionLost(`no connection to ${shownAddress(this.#address)}: ${what}`, { cause })
  }
}

function clientConfig(address: PostgresAddress, purpose: Purpose): pg.ClientConfig {
  const { host, port, user, database } = address
  return {
    host,
    port,
    user,
    database,
    password: passwordOf(address),
    ssl: tlsOf(address),
    application_name: purpose,
    connectionTimeoutMillis: limits.maxDatabaseConnectMs,
    // The server gives up a statement; should nothing come back at all, so does this side, a little later.
    statement_timeout: limits.maxDatabaseStatementMs,
    query_timeout: limits.maxDatabaseStatementMs + limits.maxDatabaseSilenceMs,
    // A gate that was stopped in the middle must not keep the others from writing.
    idle_in_transaction_session_timeout: limits.maxDatabaseStatementMs,
    keepAlive: true,
    types: numbersAsNumbers(),
  }
}

/** Every number of a log is exact as one of JavaScript's. */
function numbersAsNumbers(): pg.CustomTypesConfig {
  const types = new pg.TypeOverrides()
  types.setTypeParser(int8, Number)
  return types
}

function tlsOf({ tls, tlsRoot }: PostgresAddress): pg.ClientConfig['ssl'] {
  if (tls === 'disable') return false
  return tlsRoot === undefined
    ? { rejectUnauthorized: true }
    : { rejectUnauthorized: true, ca: readSecretFile(tlsRoot, 'the certificates') }
}

/** @throws CapFenceError `AUDIT_UNAVAILABLE` when the file cannot be read, or others can read it */
function passwordOf({ passwordFile }: PostgresAddress): string | undefined {
  // The driver looks into `PGPASSWORD` and `~/.pgpass` then.
  if (passwordFile === undefined) return undefined
  const what = 'the password of the database'
  const text = readSecretFile(passwordFile, what)
  if (process.platform !== 'win32' && (statSync(passwordFile).mode & 0o077) !== 0) {
    throw new CapFenceError('AUDIT_UNAVAILABLE', `others can read ${what} in \`${passwordFile}\``, {
      hint: `\`chmod 600 ${passwordFile}\``,
    })
  }
  return text.replace(/\r?\n$/, '')
}

function readSecretFile(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new CapFenceError('AUDIT_UNAVAILABLE', `${what} cannot be read from \`${path}\``, {
      hint: 'check the path, and that the gate may read the file',
      cause,
    })
  }
}

function isResult(value: unknown): value is { readonly rows: Rows } {
  return typeof value === 'object' && value !== null && 'rows' in value
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'nothing is known'
}

async function after(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })
}
