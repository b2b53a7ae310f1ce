import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { parsePostgresAddress } from '../../src/config/postgres-address.ts'
import type { PostgresAddress } from '../../src/storage/postgres/address.ts'
import { PostgresEngine } from '../../src/storage/postgres/postgres-engine.ts'
import { PostgresLog } from '../../src/storage/postgres/postgres-log.ts'
import { lockKeys } from '../../src/storage/postgres/shared-log.ts'
import { dist } from '../support/dist.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import type { OpenOptions, Place, Subject } from './subject.ts'

const software = 'capfence/test'

/** A schema of its own, and a folder for the keys. */
export interface PostgresPlace extends Place {
  readonly url: string
  readonly schema: string
  readonly folder: string
  open(options?: OpenOptions): Promise<PostgresEngine>
  openReader(): Promise<PostgresLog>
}

/** A place on a server. */
export function postgresPlaceOn(server: PostgresServer): PostgresPlace {
  const folder = mkdtempSync(join(tmpdir(), 'capfence-storage-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const schema = `t_${randomBytes(6).toString('hex')}`
  const url = server.url(schema)
  const address = addressOf(url)
  const options = {
    address,
    software,
    keys: join(folder, 'keys'),
    highWater: join(folder, 'highwater'),
  }
  return {
    url,
    schema,
    folder,
    open: (more) => PostgresEngine.open({ ...options, ...more }),
    openReader: () => PostgresLog.open(address),
    child: {
      module: pathToFileURL(`${dist}/storage/postgres/postgres-engine.js`).href,
      engine: 'PostgresEngine',
      options,
    },
    holdLock: async () => {
      const holder = await server.connect()
      await holder.query(
        `BEGIN; SELECT pg_advisory_xact_lock(${lockKeys('log', schema).join(', ')})`,
      )
      return () => void holder.end()
    },
  }
}

/** Reads an address that is good. */
export function addressOf(url: string): PostgresAddress {
  const address = parsePostgresAddress(url)
  if ('problem' in address) throw new Error(address.problem)
  return address
}

/** A server for the tests of a file; `current` once they run. */
export function usePostgres(settings: readonly string[] = []): () => PostgresServer {
  let server: PostgresServer | undefined
  beforeAll(async () => {
    server = await PostgresServer.start(settings)
  }, 60_000)
  afterAll(async () => {
    await server?.remove()
  })
  return () => {
    if (server === undefined) throw new Error('there is a server while tests run')
    return server
  }
}

/** The engine for several machines. */
export function postgres(current: () => PostgresServer): Subject {
  return { name: 'PostgreSQL', newPlace: () => postgresPlaceOn(current()) }
}
