import { firefoxEngine } from './firefox-engine.ts';
import { playMatrix } from './matrix.ts';

playMatrix(firefoxEngine);
