import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestName, suggestion } from '../../src/nearest-name.js';
import { SERVICE_TYPES, TEST_SCENARIOS } from '../../src/vocabulary.js';

test('the nearest name is the one that differs least', () => {
  assert.equal(nearestName('DataStor', SERVICE_TYPES), 'DataStore');
  assert.equal(nearestName('script-engin', SERVICE_TYPES), 'ScriptEngine');
  assert.equal(nearestName('HighFrequncyOperations', TEST_SCENARIOS), 'HighFrequencyOperations');
});

test('a misspelt beginning or word of a long name is recognised', () => {
  assert.equal(suggestion('idel', TEST_SCENARIOS), 'did you mean "IdleBaseline"?');
  assert.equal(suggestion('exhustion', TEST_SCENARIOS), 'did you mean "ResourceExhaustion"?');
  assert.equal(suggestion('gatway', SERVICE_TYPES), 'did you mean "McpGateway"?');
});

test('what resembles nothing gets the list of choices', () => {
  assert.equal(nearestName('kubernetes', SERVICE_TYPES), undefined);
  assert.equal(suggestion('kubernetes', ['a', 'b']), 'choose from a, b');
});
