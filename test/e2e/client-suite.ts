import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { journalLines, layOut } from './gate.ts'
import type { GateFiles, GateOptions } from './gate.ts'
import type { Peer } from './peers.ts'

/** Connects a client to a gate for these files: for one server of them, or for all. */
export type ConnectTo = (laid: GateFiles, server?: string) => Promise<Peer>

/** What a person's client does all day, whatever stands between it and the gate. */
export function clientSuite(title: string, connect: ConnectTo): void {
  const folders: string[] = []
  let open: Peer[] = []

  afterEach(async () => {
    await Promise.all(open.map((peer) => peer.close()))
    open = []
  })
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  })

  describe(title, () => {
    const start = async (options: GateOptions, server?: string): Promise<[Peer, GateFiles]> => {
      const folder = mkdtempSync(join(tmpdir(), 'capfence-clients-'))
      folders.push(folder)
      const laid = layOut(folder, options)
      const peer = await connect(laid, server)
      open.push(peer)
      return [peer, laid]
    }
    const one: GateOptions = { servers: { solo: 'everything' } }
    const first = (result: { content: readonly { text?: string }[] }): string | undefined =>
      result.content[0]?.text

    test('the server is who it says it is', async () => {
      const [peer] = await start(one, 'solo')
      expect(peer.serverName()).toBe('everything')
      expect(peer.instructions()).toBe('Use me for tests.')
    })

    test('tools are listed and called under their own names', async () => {
      const [peer] = await start(one, 'solo')
      expect(await peer.tools()).toContain('echo')
      expect(first(await peer.call('echo', { message: 'hé"llo' }))).toBe('hé"llo')
      expect((await peer.call('structured')).structuredContent).toEqual({ sum: 3 })
    })

    test('progress arrives, every step', async () => {
      const [peer] = await start(one, 'solo')
      const steps: number[] = []
      await peer.call(
        'progress',
        { steps: 3 },
        { onprogress: ({ progress }) => void steps.push(progress) },
      )
      // The SDK itself may lose a step that arrives together with the result; the wire test counts all of them.
      expect(steps.length).toBeLessThanOrEqual(3)
      expect(steps).toEqual([1, 2, 3].slice(0, steps.length))
    })

    test('a cancelled call is cancelled at the server', async () => {
      const [peer, laid] = await start(one, 'solo')
      const abort = new AbortController()
      const call = peer.call('slow', {}, { signal: abort.signal })
      setTimeout(() => abort.abort('not needed'), 300)
      await expect(call).rejects.toThrow(/./)
      await expect
        .poll(() => journalLines(laid.journal('solo')), { timeout: 5000 })
        .toEqual([expect.stringContaining('cancelled')])
    })

    test('a server can ask the model, the person and for roots', async () => {
      const [peer] = await start(one, 'solo')
      expect(first(await peer.call('sample'))).toBe('pong')
      expect(first(await peer.call('elicit'))).toContain('blue')
      expect(first(await peer.call('roots'))).toContain('file:///workspace')
    })

    test('resources, templates, completion, subscriptions', async () => {
      const [peer] = await start(one, 'solo')
      expect(await peer.resources()).toEqual(['note://one'])
      expect(await peer.templates()).toEqual(['note://by-name/{name}'])
      expect(JSON.stringify(await peer.read('note://one'))).toContain('the first note')
      expect(JSON.stringify(await peer.read('note://by-name/x'))).toContain('note x')
      const completed = await peer.complete({
        ref: { type: 'ref/resource', uri: 'note://by-name/{name}' },
        argument: { name: 'name', value: 'a' },
      })
      expect(completed).toMatchObject({ completion: { values: ['alpha'] } })
      await peer.subscribe('note://one')
      await peer.call('touch')
      await expect.poll(() => peer.events).toContain('updated note://one')
    })

    test('prompts and their completion', async () => {
      const [peer] = await start(one, 'solo')
      expect(await peer.prompts()).toEqual(['greet'])
      expect(JSON.stringify(await peer.prompt('greet', { name: 'Ada' }))).toContain('Hello Ada')
      const completed = await peer.complete({
        ref: { type: 'ref/prompt', name: 'greet' },
        argument: { name: 'name', value: 'Al' },
      })
      expect(completed).toMatchObject({ completion: { values: ['Alan'] } })
    })

    test('logging and changes of the list of tools', async () => {
      const [peer] = await start(one, 'solo')
      await peer.setLevel('debug')
      await peer.call('log')
      await expect.poll(() => peer.events).toContain('log from the server')
      await peer.call('grow')
      await expect.poll(() => peer.events).toContain('tools')
      expect(await peer.tools()).toContain('grown')
    })

    test('a blocked call is a result that tells the model why, also for a tool with an output schema', async () => {
      const policy = `version: 1
deny:
  - {id: no-sums, capability: solo.structured, message: sums are for people}
allow:
  - solo.echo
`
      const [peer] = await start({ ...one, policy }, 'solo')
      await peer.tools()
      const denied = await peer.call('structured')
      expect(denied.isError).toBe(true)
      expect(first(denied)).toMatch(/no-sums[\s\S]*not executed[\s\S]*sums are for people/)
      expect(denied['_meta']?.['dev.capfence/decision']).toMatchObject({
        decision: 'deny',
        rules: ['no-sums'],
      })
      const byDefault = await peer.call('log')
      expect(byDefault.isError).toBe(true)
      expect(byDefault['_meta']?.['dev.capfence/decision']).toMatchObject({
        decision: 'deny',
        reason: 'default',
      })
    })

    test('a call that needs approval is answered with its id; the same call again has the same id', async () => {
      const policy = 'version: 1\nrequire_approval:\n  - {id: ask, capability: solo.echo}\n'
      const [peer] = await start({ ...one, policy }, 'solo')
      const pending = async (message: string): Promise<unknown> => {
        const result = await peer.call('echo', { message })
        expect(result.isError).toBe(true)
        const meta = result['_meta']?.['dev.capfence/decision'] as { approvalId: string }
        expect(meta.approvalId).toMatch(/^apr_/)
        expect(first(result)).toContain(meta.approvalId)
        return meta.approvalId
      }
      const id = await pending('a')
      expect(await pending('a')).toBe(id)
      expect(await pending('b')).not.toBe(id)
    })

    test('several servers behind one endpoint', async () => {
      const [peer] = await start({ servers: { one: 'everything', two: 'everything', ops: 'ops' } })
      const tools = await peer.tools()
      expect(tools).toContain('one__echo')
      expect(tools).toContain('two__echo')
      expect(tools).toContain('ops__execute_payment')
      expect(first(await peer.call('two__echo', { message: 'x' }))).toBe('x')
      expect(first(await peer.call('one__elicit'))).toContain('blue')
      expect(await peer.prompts()).toEqual(['one__greet', 'two__greet'])
      expect(JSON.stringify(await peer.prompt('two__greet', { name: 'Ada' }))).toContain(
        'Hello Ada',
      )
      expect(JSON.stringify(await peer.read('note://by-name/y'))).toContain('note y')
    })
  })
}
