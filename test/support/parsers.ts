import { installParsers } from '../../src/cli/parsers.ts'

// Policies in tests are loaded by the pure part alone, which does not know where its parsers are.
installParsers()
