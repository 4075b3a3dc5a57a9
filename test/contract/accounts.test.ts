import { accountOperations, accounts } from '../support/accounts.js';
import { describeStateMachine } from './state-machine.js';

describeStateMachine('accounts (the example)', { create: () => accounts, operations: accountOperations });
