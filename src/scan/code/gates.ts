import type { Value } from './values.ts'

/** How code says that CapFence decides, in one language. */
export interface GateNames {
  /** Whether a module is CapFence. */
  readonly isGate: (module: string) => boolean
  /** What takes a function, a tool or several, and gives back what only runs when the gate allows it. */
  readonly wrappers: readonly string[]
  /** What takes a client or a session of MCP, and gives back one whose calls are decided on. */
  readonly clients: readonly string[]
  /** What a function asks before it acts. */
  readonly questions: readonly string[]
}

/** The names of the library for TypeScript and JavaScript. */
export const jsGates: GateNames = {
  isGate: (module) => /^capfence(?:\/|$)/.test(module),
  wrappers: ['gate', 'gateTool', 'gateTools'],
  clients: ['gateClient'],
  questions: ['ActionRuntime().execute', 'ActionRuntime.open().execute'],
}

/** The names of the client for Python, which is one file and may lie anywhere in a project. */
export const pyGates: GateNames = {
  isGate: (module) => /(?:^|\.)capfence$/.test(module),
  wrappers: [
    'gate',
    'gate_tool',
    'gate_tools',
    'gated',
    ...['CapFence()', 'Client()', 'Gate()'].flatMap((of) => [
      `${of}.gate`,
      `${of}.gate_tool`,
      `${of}.gate_tools`,
    ]),
  ],
  clients: ['gate_client', 'gate_session', 'CapFence().gate_client', 'Client().gate_client'],
  questions: [
    'decide',
    'CapFence().decide',
    'Client().decide',
    'CapFence().execute',
    'Client().execute',
  ],
}

/** Whether a value is one of the names of the gate. */
export function isGateName(value: Value, gates: GateNames, names: readonly string[]): boolean {
  return value.kind === 'outside' && gates.isGate(value.module) && names.includes(value.path)
}

/** Whether a value is what the gate gave back, or a part of it. */
export function comesFromGate(value: Value, gates: GateNames): boolean {
  if (value.kind !== 'outside' || !gates.isGate(value.module)) return false
  return [...gates.wrappers, ...gates.clients].some((name) => value.path.startsWith(`${name}()`))
}
