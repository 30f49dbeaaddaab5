'use strict';
// A node as a first attempt has it: each data event is taken for whole frames; it connects
// again 3 s after the connection has ended, and registers each time.
//   node plain_node.js DISTRIBUTOR_PORT NAME PORT [URL]...
// Prints each list that it is told, as JSON.
const net = require('net');

const END = '¶';
const [distributor, name, port, ...urls] = process.argv.slice(2);

function connect() {
    const socket = net.connect(Number(distributor), '127.0.0.1', () => {
        const params = { port: Number(port), name, urls };
        socket.write(JSON.stringify({ uri: '/distributes', method: 'POST', key: 0, params }) + END);
    });
    socket.on('data', (data) => {
        for (const frame of data.toString().split(END))
            if (frame !== '')
                console.log(JSON.stringify(JSON.parse(frame).params));
    });
    socket.on('error', () => {}); // close follows
    socket.on('close', () => setTimeout(connect, 3000));
}

connect();
