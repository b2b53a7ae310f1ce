import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { call, policy } from '../support.ts'

const flagged = '{runs: rm, flags: [r, f]}'

/** What a guard at a pointer makes of a call. */
function guard(args: object, matcher = flagged, pointer = '/command'): string | undefined {
  const rule = `{capability: x, args: {${pointer}: {shell: ${matcher}}}}`
  const event = call({ arguments: JSON.stringify(args) })
  return policy(`deny: [${rule}]`).explain(event)[0]?.value
}

describe('a command that is split over several arguments is one that may run', () => {
  test.each<[string, object]>([
    ['a flag in a list', { command: 'rm -r', args: ['-f', '/'] }],
    ['a flag in a list before it', { args: ['-f', '/'], command: 'rm -r' }],
    ['a flag in a list of one text', { command: 'rm -r', args: ['-f /'] }],
    ['a flag in a text', { command: 'rm -r', flags: '-f' }],
    ['a flag under any name', { command: 'rm -r', x: '-f' }],
    ['a flag behind others', { command: 'rm -r', args: 'build -v -f' }],
    ['a flag that is true', { command: 'rm -r /', force: true }],
    ['a letter that is true', { command: 'rm -r /', options: { f: true } }],
    ['a flag as a name', { command: 'rm -r /', options: { '-f': 1 } }],
    ['a flag as a name, with its value', { command: 'rm -r /', options: { '-f': 'x' } }],
    ['a flag deep inside', { command: 'rm -r', spec: { more: [{ value: '-f' }] } }],
    ['flags in lists of lists', { command: 'rm -r', args: [['-v'], ['-f']] }],
    ['words beside numbers', { command: 'rm -r', args: [1, '-f'] }],
    ['behind another command', { command: 'cd / && rm -r', args: ['-f', 'x'] }],
    ['behind a wrapper', { command: 'sudo rm -r', args: ['-f'] }],
    ['a list and a list', { command: ['rm', '-r'], args: ['-f', '/'] }],
    ['a list and a text', { command: ['rm', '-r'], rest: '-f /' }],
    ['another command in a list', { command: 'ls', args: ['; rm -rf /'] }],
    ['another command, word by word', { command: 'ls', args: ['&&', 'rm', '-rf', '/'] }],
    ['another command in two lists', { command: 'ls', args: ['&&'], rest: ['rm', '-rf', '/'] }],
    ['the same two the other way round', { command: 'ls', rest: ['rm', '-rf'], args: ['&&'] }],
    ['another command in a text', { command: 'ls', path: '|rm -rf /' }],
    ['a substitution', { command: 'ls', args: ['$(rm -rf /)'] }],
    ['another line', { command: 'ls', args: ["\nrm -rf /\n'"] }],
    ['another command in front', { command: 'ls', prefix: 'rm -rf / ;' }],
    ['more signs than anybody reads', { command: 'ls', a: Array.from({ length: 9 }, () => [';']) }],
    ['more words than anybody reads', { command: 'ls', args: [';', 'x'.repeat(20_000)] }],
  ])('%s', (_, args) => {
    expect(guard(args)).toBe('indeterminate')
  })

  test.each<[string, object, string, string]>([
    ['the rest of a name', { command: 'git -C x', args: ['push'] }, '{runs: git push}', '/command'],
    [
      'a name and a flag, apart',
      { command: 'git -C x', sub: 'push', force: true },
      '{runs: git push, flags: force}',
      '/command',
    ],
    ['the name beside the words', { command: 'rm', args: ['-rf', '/'] }, flagged, '/args'],
    ['the name beside a line of words', { program: '/bin/rm', args: '-rf /' }, flagged, '/args'],
    ['the name beside split words', { cmd: 'RM', args: '-r', more: '-f' }, flagged, '/args'],
    ['the name and a word, beside a flag', { cmd: 'rm -r', args: '-f x' }, flagged, '/args'],
    ['one of many', { argv: ['rm -r', '-f', '/'] }, flagged, '/argv/*'],
  ])('%s', (_, args, matcher, pointer) => {
    expect(guard(args, matcher, pointer)).toBe('indeterminate')
  })

  test('what the text runs by itself is certain', () => {
    expect(guard({ command: 'rm -rf /', args: ['-f'] })).toBe('true')
  })

  test('in whatever pieces and order the words stand', () => {
    const words = ['-r', '-f', '-v', '/']
    fc.assert(
      fc.property(
        fc.shuffledSubarray(words, { minLength: 4 }),
        fc.nat(3),
        fc.constantFrom('args', 'flags', 'a', 'options'),
        fc.boolean(),
        (order, own, name, isFirst) => {
          const command = ['rm', ...order.slice(0, own)].join(' ')
          const rest = order.slice(own)
          const args = isFirst ? { [name]: rest, command } : { command, [name]: rest }
          expect(guard(args)).not.toBe('false')
        },
      ),
    )
  })
})

describe('what is said beside a command is no part of it', () => {
  test.each<[string, object]>([
    ['a description', { command: 'rm -r build', description: 'clean -f everything; rm -rf it' }],
    ['a description in a list', { command: 'rm -r build', notes: { reason: ['-f', 'x'] } }],
    ['input', { command: 'tee x', stdin: '; rm -rf /' }],
    ['a command of its own', { command: 'rm -r build', then: 'cp -f a b' }],
    ['commands of their own', { commands: ['rm -r build', 'cp -f a b'], command: 'ls' }],
    ['a flag that is off', { command: 'rm -r build', force: false }],
    ['words that are not asked for', { command: 'rm -r', args: ['-v', 'x'], timeout: 5 }],
    ['an apostrophe', { command: 'echo', args: ["it's"] }],
    ['brackets', { command: 'ls', args: ['a (1).txt', 'b; c'] }],
    ['a name that is no program', { command: 'ls -rf', name: 'rm' }],
    ['nothing', { command: 'rm -r', args: [] }],
    ['where it does not end', { command: 'rm -r x; ls', args: ['-f'] }],
  ])('%s', (_, args) => {
    expect(guard(args)).toBe('false')
  })

  test('each of several commands is its own', () => {
    const commands = ['rm -r build', 'cp -f a b']
    expect(guard({ commands }, flagged, '/commands/*')).toBe('false')
  })
})

test('a grant takes the command as it stands, whatever is beside it', () => {
  const rule = (matcher: string): string =>
    `allow: [{capability: x, args: {/command: {shell: ${matcher}}}}]`
  const decision = (matcher: string, args: object): string =>
    policy(rule(matcher)).decide(call({ arguments: JSON.stringify(args) })).decision
  expect(decision('{only: ls}', { command: 'ls', args: ['-f'] })).toBe('allow')
  expect(decision('{runs: ls}', { command: 'ls', args: ['; rm -rf /'] })).toBe('allow')
  expect(decision('{runs: ls, flags: f}', { command: 'ls -r', args: ['-f'] })).toBe('deny')
})
