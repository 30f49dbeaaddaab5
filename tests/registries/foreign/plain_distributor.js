'use strict';
// A Distributor as a first attempt has it: each data event is taken for whole frames, so
// that one which comes in pieces ends the program; whatever is no POST is ignored.
//   node plain_distributor.js PORT [greet]
// With greet, who connects is sent the list before it has registered. Prints "port N" once
// it listens, then each list that it tells, as JSON.
const net = require('net');

const END = '¶';
const [port, greets] = process.argv.slice(2);
const nodes = new Map(); // socket -> params

function list() {
    const params = [...nodes.values()];
    return JSON.stringify({ uri: '/distributes', method: 'GET', key: 0, params }) + END;
}

function tellAll() {
    console.log(JSON.stringify([...nodes.values()]));
    for (const socket of nodes.keys())
        socket.write(list());
}

function take(socket, message) {
    if (message.uri !== '/distributes' || message.method !== 'POST')
        return;
    message.params.host = socket.remoteAddress;
    nodes.set(socket, message.params);
    tellAll();
}

const server = net.createServer((socket) => {
    if (greets)
        socket.write(list());
    socket.on('data', (data) => {
        for (const frame of data.toString().split(END))
            if (frame !== '')
                take(socket, JSON.parse(frame));
    });
    socket.on('error', () => {}); // close follows
    socket.on('close', () => {
        if (nodes.delete(socket))
            tellAll();
    });
});

server.listen(Number(port), '127.0.0.1', () => console.log('port', server.address().port));
