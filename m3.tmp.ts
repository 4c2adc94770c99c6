import { randomBytes } from 'node:crypto';
import { isPlainRecord } from './src/contract/plain-record.ts';
import { checkBatch, parseBatch } from './src/edge/http/validate-batch.ts';
import { isSurelyStrict } from './src/contract/strict-json.ts';
const real = process.argv[2] === 'real';
const mk = () => { const s = randomBytes(16).toString('base64url'); return JSON.stringify({v:1,sentAt:new Date().toISOString(),device:crypto.randomUUID(),...(real&&{clockOffset:3}),records:Array.from({length:25},(_, i)=>({kind:'event',id:`${s}.${i+1}`,anonymousId:s,...(real&&{eventTime:'2026-11-30T22:11:05+0530',age:1200}),eventName:'Added to Cart',eventData:{'Product ID':1337+i,Price:39.8,Quantity:1,Category:'Books',Currency:'INR'}}))}) };
const texts = Array.from({length:300}, mk);
const sets = texts.map(t => JSON.parse(t));
const read = texts.map(t => parseBatch(t, 'page'));
function time(name: string, f: (x: any, i: number) => unknown) { for (let i=0;i<6000;i++) f(sets[i%300], i%300); const v=[]; for (let r=0;r<200;r++){const a=performance.now(); for(let i=0;i<60;i++) f(sets[i%300], i%300); v.push((performance.now()-a)/60*1000)} v.sort((a,b)=>a-b); console.log(name.padEnd(20), v[10].toFixed(1), v[100].toFixed(1)); }
time('parse', (_, i) => JSON.parse(texts[i]!));
time('strict', (b, i) => isSurelyStrict(texts[i]!, b));
time('parseBatch', (_, i) => parseBatch(texts[i]!, 'page'));
time('plain', b => b.records.every(isPlainRecord));
time('checkBatch', (_, i) => checkBatch(read[i] as any, {sender:'page', now: Date.now()}));
