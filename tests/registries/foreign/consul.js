'use strict';
// The client consul, told what to do by a line of JSON each: ["register", {..}], ["pass", "ID"],
// ["health", "NAME"], ["watch", "NAME"], ["seen"], ["deregister", "ID"]. Answers with a line of JSON.
//   node consul.js PORT
const readline = require('readline');
const Consul = require('consul');

const client = new Consul({ host: '127.0.0.1', port: Number(process.argv[2]) });
const seen = [];

const commands = {
    register: (service) => client.agent.service.register(service),
    deregister: (id) => client.agent.service.deregister(id),
    pass: (id) => client.agent.check.pass({ id: `service:${id}`, note: 'well' }),
    warn: (id) => client.agent.check.warn(`service:${id}`),
    fail: (id) => client.agent.check.fail(`service:${id}`),
    checks: () => client.agent.check.list(),
    services: () => client.agent.service.list(),
    catalog: (name) => client.catalog.service.nodes(name),
    names: () => client.catalog.service.list(),
    health: (name) => client.health.service({ service: name, passing: true }),
    async watch(name) {
        const options = { service: name, passing: true, wait: '20s' };
        client.watch({ method: client.health.service, options })
            .on('change', (nodes) => seen.push(nodes.map((node) => node.Service.ID).sort()));
    },
    seen: async () => seen,
};

readline.createInterface({ input: process.stdin }).on('line', async (line) => {
    const [name, argument] = JSON.parse(line);
    let result;
    try {
        result = await commands[name](argument);
    } catch (error) {
        result = { error: String(error) };
    }
    console.log(JSON.stringify(result === undefined ? null : result));
}).on('close', () => process.exit(0));
