// The same list as a program with the official client reads it: in pages of 500, as kubectl does.
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';

const config = new KubeConfig();
config.loadFromFile(process.argv[2] ?? '');
const api = config.makeApiClient(CoreV1Api);
let count = 0;
let token: string | undefined;
do {
  const page = await api.listPodForAllNamespaces({ limit: 500, ...(token === undefined ? {} : { _continue: token }) });
  count += page.items.length;
  token = page.metadata?._continue;
} while (token);
console.log(count);
