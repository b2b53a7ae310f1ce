import { clientSuite } from './client-suite.ts'
import { gateCommand } from './gate.ts'
import { connectV1, connectV2 } from './peers.ts'

clientSuite('SDK v1 through the gate', (laid, server) => connectV1(gateCommand(laid, server)))
clientSuite('SDK v2 through the gate', (laid, server) =>
  connectV2(gateCommand(laid, server), 'legacy'),
)
clientSuite('SDK v2, newest revision asked for first, through the gate', (laid, server) =>
  connectV2(gateCommand(laid, server), 'auto'),
)
