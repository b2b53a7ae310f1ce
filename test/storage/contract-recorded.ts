import { describe, expect, test } from 'vitest'
import { configChangeRecord, toolDefRecord } from '../../src/audit/drafts.ts'
import type { RecordDraft } from '../../src/audit/record.ts'
import type { RecordedFacts, Store } from '../../src/runtime/store.ts'
import type { ContractContext } from './contract-context.ts'

const [hashA, hashB] = ['a'.repeat(64), 'b'.repeat(64)]

/** What records said last of tools and configurations. */
export function recordedContract({ newPlace, open }: ContractContext): void {
  describe('what was recorded last', () => {
    test('of a tool: its hash, and whether it was there; of each server by itself', async () => {
      const store = await open(newPlace())
      expect(await ask(store, (facts) => facts.toolDefinition('fs', 'read'))).toBeUndefined()
      await write(store, tool('fs', 'read', hashA))
      await write(store, tool('git', 'read', hashB))
      expect(await ask(store, (facts) => facts.toolDefinition('fs', 'read'))).toEqual({
        tool: 'read',
        sha256: hashA,
        isListed: true,
      })
      await write(store, tool('fs', 'read', hashB))
      expect(await ask(store, (facts) => facts.toolDefinition('fs', 'read')?.sha256)).toBe(hashB)
      await write(store, tool('fs', 'read', null))
      expect(await ask(store, (facts) => facts.toolDefinition('fs', 'read'))).toEqual({
        tool: 'read',
        sha256: hashB,
        isListed: false,
      })
      expect(await ask(store, (facts) => facts.toolDefinition('git', 'read')?.isListed)).toBe(true)
      await write(store, tool('fs', 'read', hashA))
      expect(await ask(store, (facts) => facts.toolDefinition('fs', 'read')?.isListed)).toBe(true)
    })

    test('of the tools of a server: those that are there, page by page', async () => {
      const store = await open(newPlace())
      const names = ['b', 'a', 'd', 'c']
      await write(store, ...names.map((name) => tool('fs', name, hashA)), tool('git', 'x', hashA))
      await write(store, tool('fs', 'b', null))
      const listed = (after: string, count: number): Promise<readonly string[]> =>
        ask(store, (facts) => facts.listedTools('fs', after, count).map((one) => one.tool))
      expect(await listed('', 10)).toEqual(['a', 'c', 'd'])
      expect(await listed('', 2)).toEqual(['a', 'c'])
      expect(await listed('c', 2)).toEqual(['d'])
      expect(await listed('d', 2)).toEqual([])
    })

    test('of a configuration: its hash, or that it could not be read', async () => {
      const store = await open(newPlace())
      const last = (path: string): Promise<string | null | undefined> =>
        ask(store, (facts) => facts.configuration(path)?.sha256)
      expect(await last('/a')).toBeUndefined()
      await write(store, configuration('/a', hashA), configuration('/b', hashB))
      expect([await last('/a'), await last('/b')]).toEqual([hashA, hashB])
      await write(store, configuration('/a', null))
      expect(await last('/a')).toBeNull()
    })

    test('by another process, and by a commit that shares the transaction', async () => {
      const place = newPlace()
      const [one, other] = [await open(place), await open(place)]
      const seen: unknown[] = []
      const look = (facts: RecordedFacts): unknown =>
        seen.push(facts.toolDefinition('fs', 'read')?.sha256)
      await Promise.all([
        write(one, tool('fs', 'read', hashA)),
        one.commit(({ recorded }) => ({ records: [], result: void look(recorded) }), 'process'),
      ])
      await ask(other, look)
      expect(seen).toEqual([hashA, hashA])
    })

    test('is forgotten with a commit that was refused', async () => {
      const store = await open(newPlace())
      const bad: RecordDraft = { type: 'tool.def', data: { server: 'fs' } }
      await expect(write(store, tool('fs', 'read', hashA), bad)).rejects.toThrow('missing')
      expect(await ask(store, (facts) => facts.toolDefinition('fs', 'read'))).toBeUndefined()
    })
  })
}

function write(store: Store, ...records: readonly RecordDraft[]): Promise<void> {
  return store.commit(() => ({ records, result: undefined }), 'process')
}

function ask<T>(store: Store, question: (facts: RecordedFacts) => T): Promise<T> {
  return store.commit(({ recorded }) => ({ records: [], result: question(recorded) }), 'process')
}

function tool(server: string, name: string, sha256: string | null): RecordDraft {
  const change = sha256 === null ? 'removed' : 'changed'
  return toolDefRecord({ server, tool: name, change, sha256, previous: hashA, omitted: 0 })
}

function configuration(path: string, sha256: string | null): RecordDraft {
  return configChangeRecord({ path, sha256, changed: [], restart: [], error: null })
}
