// Stands in for react-devtools-core, which Ink asks for in development only.
export default {initialize() {}, connectToDevTools() {}}
