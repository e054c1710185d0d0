// Verifies credentials with the packages that other systems use. One line of JSON in, one line of JSON out:
//   {"id": 1, "credential": {…}, "documents": {"did:web:…": {…}, "https://…/status/1/": {…}}, "now": "2026-11-28T…"}
//   {"id": 1, "verified": true, "status": false, "error": ""}
// Nothing is fetched: contexts are the pinned files, everything else is in "documents".

import {readFileSync} from 'node:fs';
import {createInterface} from 'node:readline';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {cryptosuite} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import {verifyCredential} from '@digitalbazaar/vc';
import {checkStatus} from '@digitalbazaar/vc-bitstring-status-list';

const MULTIKEY = 'https://w3id.org/security/multikey/v1';
const [folder] = process.argv.slice(2);
const contexts = new Map(Object.entries(JSON.parse(readFileSync(`${folder}/pinned.json`)))
  .map(([address, text]) => [address, JSON.parse(text)]));

function loaderOf(documents) {
  return async address => {
    const found = contexts.get(address) ?? documents[address] ?? keyOf(address, documents);
    if(!found) {
      throw new Error(`${address} is not at hand.`);
    }
    return {contextUrl: null, documentUrl: address, document: structuredClone(found)};
  };
}

function keyOf(address, documents) {
  const methods = documents[address.split('#')[0]]?.verificationMethod ?? [];
  const method = methods.find(one => one.id === address);
  return method && {'@context': MULTIKEY, ...method};
}

async function verify({credential, documents = {}, now}) {
  const documentLoader = loaderOf(documents);
  const suite = new DataIntegrityProof({cryptosuite});
  const status = credential.credentialStatus ? {checkStatus} : {};
  const result = await verifyCredential({credential, suite, documentLoader, ...(now && {now}), ...status});
  const reported = result.statusResult?.results?.map(one => one.status) ?? [];
  return {verified: result.verified, status: reported.some(Boolean), error: whyNot(result)};
}

function whyNot({verified, error, statusResult}) {
  if(verified) {
    return '';
  }
  const errors = error?.errors ?? (error ? [error] : []);
  return [...errors, ...(statusResult?.error ? [statusResult.error] : [])].map(one => one.message).join('; ') || 'not verified';
}

for await (const line of createInterface({input: process.stdin})) {
  const question = JSON.parse(line);
  let answer;
  try {
    answer = await verify(question);
  } catch(error) {
    answer = {verified: false, status: false, error: String(error?.message ?? error)};
  }
  process.stdout.write(JSON.stringify({id: question.id, ...answer}) + '\n');
}
