/**
 * How each client is made. The commands run in a copy of its folder, beside openapi.json; docs/clients.md shows them.
 * `$M2` is Maven's folder of packages.
 */
const GENERATOR = '7.25.0';
const JAR = `java -jar $M2/org/openapitools/openapi-generator-cli/${GENERATOR}/openapi-generator-cli-${GENERATOR}.jar`;
const FETCH_JAR = `mvn -q dependency:get -Dartifact=org.openapitools:openapi-generator-cli:${GENERATOR}`;
const LEAN =
  '--global-property apis,models,supportingFiles,apiDocs=false,modelDocs=false,apiTests=false,modelTests=false';

const java = (title, library) => ({
  title,
  folder: 'java',
  needs: ['java', 'mvn'],
  make: [
    FETCH_JAR,
    `${JAR} generate -g java --library ${library} -i openapi.json -o client ${LEAN}`,
    `cp Program.java client/src/main/java && cp ${library}/Connect.java client/src/main/java`,
    'mvn -q -o -f client compile dependency:build-classpath -Dmdep.outputFile=classpath ' +
      '|| mvn -q -f client compile dependency:build-classpath -Dmdep.outputFile=classpath',
  ],
  program: 'java -cp client/target/classes:$(cat client/classpath) Program',
});

export const CLIENTS = {
  typescript: {
    title: 'openapi-typescript and openapi-fetch',
    folder: 'typescript',
    needs: ['npm'],
    make: ['npm ci --no-audit --no-fund', 'npx openapi-typescript openapi.json -o hyperslab.ts', 'npx tsc -p .'],
    program: 'node out/program.js',
  },
  python: {
    title: 'openapi-python-client',
    folder: 'python',
    needs: ['python3'],
    make: [
      'python3 -m venv venv && venv/bin/pip install -q --disable-pip-version-check openapi-python-client==0.29.1 pyarrow',
      'venv/bin/openapi-python-client generate --path openapi.json --config config.yaml --meta none --output-path hyperslab_client',
    ],
    program: 'venv/bin/python program.py',
  },
  'python-generator': {
    title: 'openapi-generator, python',
    folder: 'python-generator',
    needs: ['java', 'mvn', 'python3'],
    make: [
      FETCH_JAR,
      `${JAR} generate -g python -i openapi.json -o client --package-name hyperslab_client ${LEAN}`,
      'python3 -m venv venv && venv/bin/pip install -q --disable-pip-version-check ./client',
    ],
    program: 'venv/bin/python program.py',
  },
  'java-okhttp': java('openapi-generator, java okhttp-gson', 'okhttp-gson'),
  'java-native': java('openapi-generator, java native', 'native'),
  go: {
    title: 'oapi-codegen',
    folder: 'go',
    needs: ['go'],
    make: [
      'GOBIN=$PWD/bin go install github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2',
      'mkdir -p hyperslab && bin/oapi-codegen -config oapi-codegen.yaml openapi.json',
      'go build -o program .',
    ],
    program: './program',
  },
};
