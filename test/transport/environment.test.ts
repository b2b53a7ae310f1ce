import { describe, expect, test } from 'vitest'
import { childEnvironment, type EnvironmentOptions } from '../../src/transport/environment.ts'

const secrets = {
  GITHUB_TOKEN: 's1',
  AWS_SECRET_ACCESS_KEY: 's2',
  OPENAI_API_KEY: 's3',
  NODE_OPTIONS: '--require ./x.cjs',
  SSH_AUTH_SOCK: '/tmp/agent',
  LD_PRELOAD: '/tmp/x.so',
  DYLD_INSERT_LIBRARIES: '/tmp/x.dylib',
  HTTPS_PROXY: 'http://me:secret@proxy',
}
const base = {
  HOME: '/home/me',
  LOGNAME: 'me',
  PATH: '/bin',
  SHELL: '/bin/sh',
  TERM: 'xterm',
  USER: 'me',
  LANG: 'de_DE.UTF-8',
  LC_ALL: 'C',
  LC_MESSAGES: 'C',
  TMPDIR: '/tmp',
  TZ: 'UTC',
}
const own = { CAPFENCE_CONFIG: '/x', CAPFENCE_SIGNING: 'secret', CAPFENCE_: '' }

function environment(options: Partial<EnvironmentOptions>): Record<string, string> {
  return childEnvironment({
    inherited: { ...base, ...secrets, ...own },
    declared: {},
    scope: 'base',
    platform: 'linux',
    ...options,
  })
}

describe('B33: the environment of a server', () => {
  test('the only server gets everything but what is named CAPFENCE_*', () => {
    expect(environment({ scope: 'whole' })).toEqual({ ...base, ...secrets })
  })

  test('one of several servers gets the base and what it declares, and no secret of another', () => {
    const declared = { GITHUB_TOKEN: 'its own', EXTRA: '1' }
    expect(environment({ declared })).toEqual({ ...base, ...declared })
  })

  test('what is declared wins over what is inherited', () => {
    for (const scope of ['whole', 'base'] as const) {
      expect(environment({ scope, declared: { PATH: '/declared' } })['PATH']).toBe('/declared')
    }
  })

  test.each(['CAPFENCE_CONFIG', 'CAPFENCE_', 'capfence_config', 'CapFence_Signing'])(
    'a declaration cannot bring in %s',
    (name) => {
      for (const platform of ['linux', 'darwin', 'win32'] as const) {
        for (const scope of ['whole', 'base'] as const) {
          const inherited = { PATH: '/bin', [name]: 'x' }
          const result = childEnvironment({ inherited, declared: { [name]: 'x' }, scope, platform })
          expect(result).toEqual({ PATH: '/bin' })
        }
      }
    },
  )

  test('names that only resemble ours are let through', () => {
    const inherited = { CAPFENCE: '1', CAPFENCED_X: '2', MY_CAPFENCE_X: '3' }
    expect(environment({ inherited, scope: 'whole' })).toEqual(inherited)
  })

  test('an exported shell function is no part of a base environment', () => {
    const inherited = { LC_X: '() { evil; }', LANG: '()', TZ: 'UTC' }
    expect(environment({ inherited })).toEqual({ TZ: 'UTC' })
  })

  test('names are compared exactly on POSIX', () => {
    expect(environment({ inherited: { Path: '/x', home: '/y', lc_all: 'C' } })).toEqual({})
  })

  test('a variable without a value is not there', () => {
    expect(environment({ inherited: { PATH: undefined }, scope: 'whole' })).toEqual({})
  })

  test('names that are special for JavaScript are ordinary variables', () => {
    const declared = JSON.parse('{"__proto__": "1", "constructor": "2"}') as Record<string, string>
    const result = environment({ declared })
    expect(Object.hasOwn(result, '__proto__')).toBe(true)
    expect(Object.entries(result)).toContainEqual(['__proto__', '1'])
    expect(result['constructor']).toBe('2')
  })

  describe('on Windows', () => {
    const inherited = {
      Path: 'C:\\bin',
      SystemRoot: 'C:\\Windows',
      'ProgramFiles(x86)': 'C:\\P',
      Token: 's',
    }

    test('the base list is found in any case and keeps the case it has', () => {
      const { Token: _secret, ...expected } = inherited
      expect(environment({ inherited, platform: 'win32' })).toEqual(expected)
    })

    test('a declaration in another case replaces the variable, since both are one', () => {
      for (const scope of ['whole', 'base'] as const) {
        const result = environment({
          inherited,
          declared: { PATH: 'D:\\' },
          platform: 'win32',
          scope,
        })
        expect(Object.keys(result).filter((name) => name.toUpperCase() === 'PATH')).toEqual([
          'PATH',
        ])
        expect(result['PATH']).toBe('D:\\')
      }
    })
  })
})
