import { afterEach } from 'vitest'
import { clientSuite } from './client-suite.ts'
import type { ConnectTo } from './client-suite.ts'
import { connectV1, connectV2 } from './peers.ts'
import type { Address, Peer } from './peers.ts'
import { startServe } from './serve.ts'
import type { Served } from './serve.ts'

let gates: Served[] = []

afterEach(async () => {
  await Promise.all(gates.map((gate) => gate.stop()))
  gates = []
})

const over =
  (connect: (address: Address) => Promise<Peer>): ConnectTo =>
  async (laid, server) => {
    const gate = await startServe(laid)
    gates.push(gate)
    return connect({ url: gate.url(server), token: gate.token })
  }

clientSuite('SDK v1 over HTTP through the gate', over(connectV1))
clientSuite(
  'SDK v2 over HTTP through the gate',
  over((address) => connectV2(address, 'legacy')),
)
clientSuite(
  'SDK v2 over HTTP, newest revision asked for first, through the gate',
  over((address) => connectV2(address, 'auto')),
)
