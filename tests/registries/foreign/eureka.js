'use strict';
// The client eureka-js-client, told what to do by a line of JSON each: ["start", {..}], ["stop"],
// ["find", "APP"], ["vip", "NAME"]. Answers with a line of JSON.
//   node eureka.js PORT
const readline = require('readline');
const { Eureka } = require('eureka-js-client');

const logger = { debug() {}, info() {}, warn: console.error, error: console.error };
let client;

function make(instance) {
    return new Eureka({
        logger,
        instance: instance || {},
        eureka: {
            host: '127.0.0.1', port: Number(process.argv[2]), servicePath: '/eureka/apps/',
            registerWithEureka: Boolean(instance), heartbeatInterval: 100, maxRetries: 0,
        },
    });
}

const commands = {
    start(instance, done) {
        client = make(instance);
        client.on('heartbeat', () => { client.heartbeats = (client.heartbeats || 0) + 1; });
        client.start((error) => done(error ? String(error) : 'started'));
    },
    stop(_, done) {
        client.stop((error) => done(error ? String(error) : 'stopped'));
    },
    heartbeats(_, done) {
        done(client.heartbeats || 0);
    },
    find(app, done) {
        client.fetchRegistry((error) => done(error ? String(error) : client.getInstancesByAppId(app)));
    },
    vip(name, done) {
        client.fetchRegistry((error) => done(
            error ? String(error) : client.getInstancesByVipAddress(name)));
    },
};

readline.createInterface({ input: process.stdin }).on('line', (line) => {
    const [name, argument] = JSON.parse(line);
    commands[name](argument, (result) => console.log(JSON.stringify(result)));
}).on('close', () => process.exit(0));
