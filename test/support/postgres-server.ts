import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import pg from 'pg'

/** Who runs the server where the tests run as root, which PostgreSQL refuses; a user that owns nothing. */
const nobody = 65_534
const readyWithinMs = 30_000

/** A PostgreSQL server of its own, on a free loopback port, in a temporary folder, with a password. */
export class PostgresServer {
  readonly port: number
  readonly user = 'owner'
  /** Holds the password, as `passwordfile` wants it. */
  readonly passwordFile: string
  readonly password: string
  readonly #folder: string
  readonly #bin: string
  readonly #settings: readonly string[]
  #process: ChildProcess | undefined

  private constructor(bin: string, port: number, settings: readonly string[]) {
    this.#bin = bin
    this.port = port
    this.#settings = settings
    this.#folder = mkdtempSync(join(tmpdir(), 'capfence-postgres-'))
    this.passwordFile = join(this.#folder, 'password')
    this.password = randomBytes(12).toString('hex')
    writeFileSync(this.passwordFile, this.password, { mode: 0o600 })
  }

  /** Makes a cluster and starts it; fails, and says what to install, where that cannot be done. */
  static async start(settings: readonly string[] = []): Promise<PostgresServer> {
    const server = new PostgresServer(findBinaries(), await freePort(), settings)
    try {
      server.#makeCluster()
      await server.startAgain()
      return server
    } catch (error) {
      await server.remove()
      throw error
    }
  }

  /** The address of the database with all that a gate needs, for a schema. */
  url(schema: string, user: string = this.user): string {
    const password = encodeURIComponent(this.passwordFile)
    return `postgres://${user}@127.0.0.1:${this.port}/postgres?schema=${schema}&passwordfile=${password}`
  }

  /** A connection for a test to look or meddle with. */
  async connect(): Promise<pg.Client> {
    const client = new pg.Client({
      host: '127.0.0.1',
      port: this.port,
      user: this.user,
      database: 'postgres',
      password: this.password,
    })
    client.on('error', () => undefined)
    await client.connect()
    return client
  }

  /** Runs SQL on a connection of its own, and gives the rows. */
  async sql(text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
    const client = await this.connect()
    try {
      return (await client.query<Record<string, unknown>>(text, values)).rows
    } finally {
      await client.end()
    }
  }

  /** Starts the server; also after it was killed. */
  async startAgain(): Promise<void> {
    const data = join(this.#folder, 'data')
    // What a killed server leaves: its process is gone, and nobody else uses this folder.
    rmSync(join(data, 'postmaster.pid'), { force: true })
    const all = [
      'listen_addresses=127.0.0.1',
      `port=${this.port}`,
      `unix_socket_directories=`,
      'max_connections=60',
      ...this.#settings,
    ]
    const flags = all.flatMap((setting) => ['-c', setting])
    const child = spawn(join(this.#bin, 'postgres'), ['-D', data, ...flags], {
      stdio: ['ignore', 'ignore', 'pipe'],
      ...identity(),
      cwd: this.#folder,
    })
    this.#process = child
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-4000)))
    const endMs = performance.now() + readyWithinMs
    for (;;) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- until it answers
        await (await this.connect()).end()
        return
      } catch (error) {
        const isOver = child.exitCode !== null || performance.now() > endMs
        if (isOver) throw new Error(`PostgreSQL does not start: ${said}`, { cause: error })
        // oxlint-disable-next-line no-await-in-loop -- the same
        await new Promise((resolve) => {
          setTimeout(resolve, 50)
        })
      }
    }
  }

  /** kill -9 of the server and all that it started, as a crash of the machine has it, but for the disk's cache. */
  async kill(): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (child === undefined || child.exitCode !== null) return
    const gone = new Promise((resolve) => {
      child.once('close', resolve)
    })
    for (const pid of [child.pid ?? 0, ...childrenOf(child.pid ?? 0)]) killNow(pid)
    await gone
  }

  async remove(): Promise<void> {
    await this.kill()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #makeCluster(): void {
    const { uid, gid } = identity()
    for (const path of [this.#folder, this.passwordFile]) {
      if (uid !== undefined) chownSync(path, uid, gid ?? uid)
    }
    chmodSync(this.#folder, 0o700)
    const made = spawnSync(
      join(this.#bin, 'initdb'),
      [
        '-D',
        join(this.#folder, 'data'),
        '-U',
        this.user,
        '--pwfile',
        this.passwordFile,
        '-A',
        'scram-sha-256',
        '-E',
        'UTF8',
        '--locale=C',
        '--no-sync',
      ],
      { encoding: 'utf8', ...identity(), cwd: this.#folder },
    )
    if (made.status !== 0)
      throw new Error(`initdb fails: ${made.stderr}${String(made.error ?? '')}`)
  }
}

function identity(): { readonly uid?: number; readonly gid?: number } {
  return process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {}
}

/** Where `postgres` and `initdb` are: named, in the path, or where Debian and Homebrew put them. */
function findBinaries(): string {
  const named = process.env['CAPFENCE_POSTGRES_BIN']
  const versions = [
    '/usr/lib/postgresql',
    '/opt/homebrew/opt',
    '/usr/local/opt',
    'C:/Program Files/PostgreSQL',
  ]
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder)
        .toSorted()
        .toReversed()
        .map((name) => join(folder, name, 'bin')),
    )
  const folders = [
    ...(named === undefined ? [] : [named]),
    ...(process.env['PATH'] ?? '').split(delimiter),
    ...versions,
  ]
  const found = folders.find(
    (folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')),
  )
  if (found !== undefined) return found
  throw new Error(
    'these tests start a PostgreSQL server of their own and find none: install it (`apt-get install postgresql`, `brew install postgresql`), or name the folder of its programs in CAPFENCE_POSTGRES_BIN',
  )
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      const port = typeof address === 'object' ? address?.port : undefined
      probe.close(() => resolve(port ?? 0))
    })
  })
}

function childrenOf(pid: number): readonly number[] {
  const listed = spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
  return listed.stdout.split('\n').flatMap((line) => (line.trim() === '' ? [] : [Number(line)]))
}

function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended in the meantime.
  }
}
