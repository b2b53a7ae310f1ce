import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { PostgresEngine } from '../../src/storage/postgres/postgres-engine.ts'
import type { Store } from '../../src/runtime/store.ts'
import { root } from '../support/root.ts'
import { codeOf, typesOf, verified } from './contract-context.ts'
import { CuttingProxy } from './cutting-proxy.ts'
import { decisionOn, newCall, outcomeOf, storing } from './drafts.ts'
import { addressOf, postgresPlaceOn, usePostgres } from './postgres-subject.ts'
import type { PostgresPlace } from './postgres-subject.ts'

const server = usePostgres()

async function opened(
  place: PostgresPlace,
  changes: { readonly port?: number; readonly user?: string } = {},
): Promise<PostgresEngine> {
  const { options } = place.child as { readonly options: Parameters<typeof PostgresEngine.open>[0] }
  const address = { ...addressOf(place.url), ...changes }
  const store = await PostgresEngine.open({ ...options, address })
  onTestFinished(() => store.close())
  return store
}

function decide(store: Store, call = newCall()): Promise<unknown> {
  return store.commit(storing(decisionOn(call)), 'power')
}

async function soundOf(place: PostgresPlace): Promise<string> {
  const reader = await place.openReader()
  const { verdict, reason } = await reader.verify({ trustLog: true })
  await reader.close()
  return reason === null ? verdict : `${verdict}: ${reason}`
}

describe('a database that may lose what it says is stored is not written to', () => {
  test.each([['fsync'], ['full_page_writes']])('%s is off', async (name) => {
    const place = postgresPlaceOn(server())
    onTestFinished(async () => {
      await server().sql(`ALTER SYSTEM RESET ${name}`)
      await server().sql('SELECT pg_reload_conf()')
    })
    await server().sql(`ALTER SYSTEM SET ${name} = off`)
    await server().sql('SELECT pg_reload_conf()')
    await expect.poll(() => server().sql(`SHOW ${name}`)).toEqual([{ [name]: 'off' }])
    await expect(place.open()).rejects.toMatchObject({
      code: 'AUDIT_UNAVAILABLE',
      message: expect.stringContaining(`\`${name} = off\``) as string,
    })
    expect(await server().sql(`SELECT to_regclass('${place.schema}.records') AS made`)).toEqual([
      { made: null },
    ])
  })

  test('synchronous_commit is off for the user of the gate', async () => {
    const place = postgresPlaceOn(server())
    await server().sql(`CREATE ROLE hasty LOGIN SUPERUSER PASSWORD '${server().password}'`)
    await server().sql('ALTER ROLE hasty SET synchronous_commit = off')
    await expect(opened(place, { user: 'hasty' })).rejects.toMatchObject({
      code: 'AUDIT_UNAVAILABLE',
      message: expect.stringContaining('`synchronous_commit = off`') as string,
    })
  })
})

describe('the answer to a COMMIT is lost', () => {
  test('which has happened: the call goes on, and its record is there once', async () => {
    const place = postgresPlaceOn(server())
    const proxy = await CuttingProxy.before(server().port)
    const store = await opened(place, { port: proxy.port })
    proxy.cutAt('COMMIT', 'after')
    const call = newCall()
    await decide(store, call)
    expect(proxy.cuts).toBe(1)
    expect(await store.call(call)).toHaveLength(1)
    await decide(store)
    expect((await verified(store)).size).toBe(4)
    expect(await soundOf(place)).toBe('ok')
  })

  test('which has not happened: the call is blocked, and no record of it is there', async () => {
    const place = postgresPlaceOn(server())
    const proxy = await CuttingProxy.before(server().port)
    const store = await opened(place, { port: proxy.port })
    proxy.cutAt('COMMIT', 'before')
    const call = newCall()
    expect(await codeOf(decide(store, call))).toBe('AUDIT_UNAVAILABLE')
    expect(proxy.cuts).toBe(1)
    expect(await store.call(call)).toEqual([])
    await decide(store)
    expect(await typesOf(store)).toEqual(['log.open', 'proc.start', 'audit.gap', 'decision'])
    await verified(store)
  })

  test('and nobody can be asked for long: the call is blocked, and what was stored is counted on from', async () => {
    const place = postgresPlaceOn(server())
    const proxy = await CuttingProxy.before(server().port)
    const store = await opened(place, { port: proxy.port })
    proxy.cutAt('COMMIT', 'after')
    proxy.refuse(true)
    const call = newCall()
    await expect(decide(store, call)).rejects.toMatchObject({
      code: 'AUDIT_UNAVAILABLE',
      message: expect.stringContaining('not known whether it was stored') as string,
    })
    proxy.refuse(false)
    await decide(store)
    expect(await store.call(call)).toHaveLength(1)
    expect(await typesOf(store)).toEqual([
      'log.open',
      'proc.start',
      'decision',
      'audit.gap',
      'decision',
    ])
    await verified(store)
  }, 60_000)
})

test('a connection that is lost between two calls is made again, and the writer is alive as before', async () => {
  const place = postgresPlaceOn(server())
  const store = await opened(place)
  const call = newCall()
  await decide(store, call)
  await server().sql(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'capfence writer'`,
  )
  await decide(store)
  const other = await opened(place)
  expect((await other.orphans()).map(({ state }) => state)).toEqual(['in_flight', 'in_flight'])
  await store.commit(storing(outcomeOf(call, 2)), 'process')
  await verified(store)
})

describe('the database is not as the gates left it', () => {
  test('records are gone: a running gate stops to write, and none starts again', async () => {
    const place = postgresPlaceOn(server())
    const store = await opened(place)
    await decide(store)
    await server().sql(`DELETE FROM ${place.schema}.records WHERE seq = 2`)
    await expect(decide(store)).rejects.toMatchObject({
      code: 'AUDIT_UNAVAILABLE',
      message: expect.stringContaining('has lost records') as string,
    })
    expect(await codeOf(opened(place))).toBe('AUDIT_CORRUPT')
  })

  test('an older state was put back: the running gate and the next one say so', async () => {
    const place = postgresPlaceOn(server())
    const store = await opened(place)
    await server().sql(`CREATE TABLE public.kept_${place.schema} AS TABLE ${place.schema}.state`)
    await decide(store)
    await decide(store)
    await server().sql(`DELETE FROM ${place.schema}.records WHERE seq > 1`)
    await server().sql(`DELETE FROM ${place.schema}.state`)
    await server().sql(
      `INSERT INTO ${place.schema}.state SELECT * FROM public.kept_${place.schema}`,
    )
    expect(await codeOf(decide(store))).toBe('AUDIT_UNAVAILABLE')
    await expect(opened(place)).rejects.toMatchObject({
      code: 'AUDIT_CORRUPT',
      message: expect.stringContaining('was rolled back') as string,
    })
  })

  test.each([
    ['a record is changed', `UPDATE $.records SET body = set_byte(body, 40, 65) WHERE seq = 2`],
    ['a record is gone', `DELETE FROM $.records WHERE seq = 1`],
    [
      'a trigger stands on a table',
      'CREATE TRIGGER x BEFORE INSERT ON $.records EXECUTE FUNCTION suppress_redundant_updates_trigger()',
    ],
    ['a view stands beside the tables', 'CREATE VIEW $.extra AS SELECT 1 AS one'],
    ['a rule keeps records out', 'CREATE RULE x AS ON INSERT TO $.records DO INSTEAD NOTHING'],
    ['a record more', `INSERT INTO $.records SELECT 99, leaf, body FROM $.records WHERE seq = 2`],
  ])('B31: %s: verifying finds it', async (_, sql) => {
    const place = postgresPlaceOn(server())
    const store = await opened(place)
    await decide(store)
    await store.close()
    expect(await soundOf(place)).toBe('ok')
    await server().sql(sql.replaceAll('$', place.schema))
    expect(await soundOf(place)).toMatch(/^tampered: /)
  })

  test('B37: what was charged to a limit is set back: it is made again from the records', async () => {
    const place = postgresPlaceOn(server())
    const store = await opened(place)
    const charges = Array.from({ length: 3 }, () =>
      store.commit(
        ({ nowMs: atMs, nextSeq: decisionSeq }) => ({
          records: [decisionOn(newCall())],
          charges: [
            {
              pot: 'p',
              amount: '1',
              atMs,
              expiresAtMs: atMs + 1e6,
              windowMs: 1e6,
              shortestMs: 1e6,
              decisionSeq,
            },
          ],
          result: 0,
        }),
        'power',
      ),
    )
    await Promise.all(charges)
    await store.close()
    await server().sql(`UPDATE ${place.schema}.state SET row = NULL WHERE tbl = 'limit_charges'`)
    const next = await opened(place)
    expect(await typesOf(next)).toContain('state.rebuild')
    await verified(next)
    expect(await soundOf(place)).toBe('ok')
  })

  test('a gate that has missed what is not remembered any more begins anew', async () => {
    const place = postgresPlaceOn(server())
    const [store, other] = [await opened(place), await opened(place)]
    await decide(store)
    await server().sql(
      `INSERT INTO ${place.schema}.state SELECT '$swept', '', max(changed)::text, max(changed) FROM ${place.schema}.state`,
    )
    const call = newCall()
    await decide(other, call)
    await store.commit(storing(outcomeOf(call, 4)), 'process')
    await verified(other)
    expect(await soundOf(place)).toBe('ok')
  })
})

describe('rights', () => {
  const documented = /```sql\n([^]*?)```/.exec(readFileSync(join(root, 'docs/scaling.md'), 'utf8'))

  test('a writer with the rights of docs/scaling.md can do everything but change what was recorded', async () => {
    const place = postgresPlaceOn(server())
    await (await place.open()).close()
    const [, sql = ''] = documented ?? []
    await server().sql(
      sql
        .replaceAll('capfence.', `${place.schema}.`)
        .replaceAll('SCHEMA capfence', `SCHEMA ${place.schema}`),
    )
    await server().sql(`ALTER ROLE gate PASSWORD '${server().password}'`)
    const store = await opened(place, { user: 'gate' })
    const call = newCall()
    await decide(store, call)
    await store.commit(storing(outcomeOf(call, 4)), 'process')
    await store.rotateKeys()
    await verified(store)
    await store.close()
    const tables = ['records', 'disclosures', 'checkpoints', 'calls', 'policies']
    const rights = await server().sql(
      `SELECT t AS name, has_table_privilege('gate', '${place.schema}.' || t, p) AS may
       FROM unnest($1::text[]) t, unnest(array['UPDATE', 'DELETE', 'TRUNCATE']) p`,
      [tables],
    )
    expect(rights).toHaveLength(15)
    expect(rights.filter(({ may }) => may !== false)).toEqual([])
  })

  test('a user without rights: the gate does not start, and says what is missing', async () => {
    const place = postgresPlaceOn(server())
    await (await place.open()).close()
    await server().sql(`CREATE ROLE stranger LOGIN PASSWORD '${server().password}'`)
    await expect(opened(place, { user: 'stranger' })).rejects.toMatchObject({
      code: 'AUDIT_UNAVAILABLE',
      hint: expect.stringContaining('docs/scaling.md') as string,
    })
  })
})

test('a log of a newer version is left alone, by gates that start and by gates that run', async () => {
  const place = postgresPlaceOn(server())
  const store = await opened(place)
  await server().sql(`UPDATE ${place.schema}.version SET tables = tables + 1`)
  await expect(decide(store)).rejects.toMatchObject({
    code: 'AUDIT_UNAVAILABLE',
    hint: expect.stringContaining('newer version') as string,
  })
  await expect(opened(place)).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' })
})
