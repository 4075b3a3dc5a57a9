import { createKeyValueStateMachine } from '../../src/application/key-value-state-machine.js';
import { operations } from '../unit/application/operations.js';
import { describeStateMachine } from './state-machine.js';

describeStateMachine('key-value', { create: createKeyValueStateMachine, operations });
