import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { load, withServer } from './load.ts'

describe('a configuration is read into exact values', () => {
  const full = load(`{
    // pasted from a client
    "$schema": "./schemas/capfence.mcp.json",
    "mcpServers": {
      "files": {
        "type": "stdio",
        "command": "node",
        "args": ["server.mjs", "", "$\${HOME}"],
        "env": {"TOKEN": "Bearer \${FILES_TOKEN}", "PRICE": "$5"},
        "cwd": "work",
        "timeout": 60000,
        "disabled": false,
        "capfence": {
          "resource": "filesystem.workspace",
          "prefix": "fs_",
          "trustAnnotations": true, "sharesDisk": true,
          "tools": {
            "delete_file": {"capability": "filesystem.delete.workspace.tmp", "risk": "high", "arguments": {"path": "/path"}},
            "pay": {"capability": "payment.execute", "arguments": {"amount": ["/total", "/lines/*/price"]}},
          },
        },
      },
      "remote": {"url": "https://example.com/mcp", "headers": {"Authorization": "Bearer \${REMOTE}"}},
      "off": {"command": "./bin/off", "disabled": true},
    },
    "policies": ["policies/ops.yaml", "/etc/capfence/base.yaml"],
    "environment": "development",
    "actor": "ops-agent",
    "mode": "observe",
    "storage": "sqlite:data/log.db",
    "approvals": {"timeoutSeconds": 60, "approvers": "a/approvers.json"},
    "audit": {"durability": "process", "mode": "digest-only", "keys": "../k", "highWater": "h", "rotateHours": 1, "verifyEveryMinutes": 5, "receipts": true,
      "anchors": [
        {"exec": ["/usr/bin/git", "commit"]},
        {"witness": "https://w.example/", "vkey": "w.example/1+00000000+${'A'.repeat(44)}", "name": "w", "everyMinutes": 5}
      ]},
    "serve": {"host": "0.0.0.0", "port": 0, "hosts": ["gate.example.com"], "origins": ["http://localhost:6274"], "tokens": [{"sha256": "${'a'.repeat(64)}", "actor": "ci"}, {"sha256": "${'b'.repeat(64)}"}], "maxSessions": 5, "maxProcesses": 6, "idleMinutes": 7},
    "limits": {"maxRequestsInFlight": 5},
    "unknownMethods": "forward",
    "lock": {"file": "locks/tools.lock", "required": true, "inObserve": "report", "relistMinutes": 1},
  }`)

  test('the whole of it', () => {
    const home = resolve('home')
    expect(full).toEqual({
      file: 'home/capfence.mcp.json',
      text: expect.stringContaining('"ops-agent"') as string,
      folder: home,
      servers: [
        {
          name: 'files',
          prefix: 'fs_',
          upstream: {
            kind: 'stdio',
            command: 'node',
            args: ['server.mjs', '', '${HOME}'],
            env: new Map([
              [
                'TOKEN',
                {
                  parts: ['Bearer ', { variable: 'FILES_TOKEN' }],
                  position: { file: 'home/capfence.mcp.json', line: 9, column: 26 },
                },
              ],
              [
                'PRICE',
                {
                  parts: ['$5'],
                  position: { file: 'home/capfence.mcp.json', line: 9, column: 60 },
                },
              ],
            ]),
            cwd: resolve(home, 'work'),
          },
          sharesDisk: true,
          binding: {
            resource: 'filesystem.workspace',
            trustAnnotations: true,
            tools: new Map([
              [
                'delete_file',
                {
                  capability: 'filesystem.delete.workspace.tmp',
                  risk: 'high',
                  argumentRoles: { path: ['/path'] },
                },
              ],
              [
                'pay',
                {
                  capability: 'payment.execute',
                  risk: undefined,
                  argumentRoles: { amount: ['/total', '/lines/*/price'] },
                },
              ],
            ]),
          },
        },
        {
          name: 'remote',
          prefix: 'remote__',
          upstream: {
            kind: 'http',
            url: 'https://example.com/mcp',
            headers: new Map([
              [
                'Authorization',
                {
                  parts: ['Bearer ', { variable: 'REMOTE' }],
                  position: { file: 'home/capfence.mcp.json', line: 23, column: 81 },
                },
              ],
            ]),
            isSse: false,
          },
          sharesDisk: false,
          binding: {},
        },
      ],
      disabledServers: ['off'],
      policies: [resolve(home, 'policies/ops.yaml'), '/etc/capfence/base.yaml'],
      actor: 'ops-agent',
      environment: 'development',
      mode: 'observe',
      storage: { path: resolve(home, 'data/log.db'), postgres: undefined },
      approvals: { timeoutSeconds: 60, approvers: resolve(home, 'a/approvers.json') },
      audit: {
        durability: 'process',
        mode: 'digest-only',
        keys: resolve(home, '../k'),
        highWater: resolve(home, 'h'),
        rotateHours: 1,
        verifyEveryMinutes: 5,
        receipts: true,
        anchors: [
          {
            kind: 'exec',
            name: 'git',
            command: ['/usr/bin/git', 'commit'],
            everyMinutes: 60,
          },
          {
            kind: 'witness',
            name: 'w',
            url: 'https://w.example',
            vkey: `w.example/1+00000000+${'A'.repeat(44)}`,
            everyMinutes: 5,
          },
        ],
      },
      serve: {
        host: '0.0.0.0',
        port: 0,
        hosts: ['gate.example.com'],
        origins: ['http://localhost:6274'],
        tokens: [
          { sha256: 'a'.repeat(64), actor: 'ci' },
          { sha256: 'b'.repeat(64), actor: undefined },
        ],
        maxSessions: 5,
        maxProcesses: 6,
        idleMinutes: 7,
      },
      limits: {
        maxClientMessageBytes: limits.maxClientMessageBytes,
        maxUpstreamMessageBytes: limits.maxUpstreamMessageBytes,
        maxRequestsInFlight: 5,
      },
      unknownMethods: 'forward',
      lock: {
        file: resolve(home, 'locks/tools.lock'),
        required: true,
        inObserve: 'report',
        relistMinutes: 1,
      },
      warnings: [],
    })
  })

  test('what is left out takes the strict side', () => {
    const {
      actor,
      mode,
      storage,
      approvals,
      audit,
      unknownMethods,
      lock,
      limits: bounds,
    } = load(withServer('{"command": "node"}'))
    expect({ actor, mode, storage, approvals, audit, unknownMethods, lock, bounds }).toEqual({
      actor: 'agent',
      mode: 'enforce',
      storage: { path: resolve('home/.capfence/capfence.db'), postgres: undefined },
      approvals: { timeoutSeconds: 900 },
      audit: {
        durability: 'power',
        mode: 'args',
        rotateHours: 24,
        verifyEveryMinutes: 60,
        receipts: false,
        anchors: [],
      },
      unknownMethods: 'deny',
      lock: {
        file: resolve('home/capfence.lock'),
        required: false,
        inObserve: 'hold',
        relistMinutes: 5,
      },
      bounds: {
        maxClientMessageBytes: limits.maxClientMessageBytes,
        maxUpstreamMessageBytes: limits.maxUpstreamMessageBytes,
        maxRequestsInFlight: limits.maxRequestsInFlight,
      },
    })
  })

  const commands: readonly (readonly [written: string, command: string])[] = [
    ['node', 'node'],
    ['./bin/server', resolve('home/bin/server')],
    ['../server', resolve('server')],
    ['/usr/bin/node', '/usr/bin/node'],
    ['bin/server', resolve('home/bin/server')],
  ]
  test.each(commands)('the command %s is %s', (written, command) => {
    const { servers } = load(withServer(JSON.stringify({ command: written })))
    expect(servers[0]?.upstream).toMatchObject({ command })
  })
})
