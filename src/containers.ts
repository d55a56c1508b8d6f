/**
 * The containers that hold arrays or could be taken for one, as one table: a new container is a row, and one whose members
 * are served has a reader of its index (registry/members.ts). Hazard: any bytes may be those of a raw array, so only
 * signatures that numbers rarely begin with stand here, and who says that a file is raw can read it.
 */

/** Containers whose members are served where they lie. */
export type ContainerFormat = 'npz' | 'safetensors';

export interface Container {
  /** As messages name it, with its article. */
  readonly title: string;
  /** In lower case. */
  readonly suffixes: readonly string[];
  /** What a file begins with, in latin-1; at byte 0 unless `at` says where else. */
  readonly magics: readonly string[];
  readonly at?: readonly number[];
  /** The format of the datasets that its members are; absent where they are not served. */
  readonly holds?: ContainerFormat;
  /** How an array comes out of it; empty for the one that is served. */
  readonly remedy: string;
}

const save = (value: string): string => `Save one array of it: np.save("array.npy", ${value}).`;
const PIXELS = 'Save its pixels: np.save("array.npy", np.asarray(PIL.Image.open("file"))).';
const DECOMPRESS = 'Decompress it, and register what is inside.';

export const NPY: Container = { title: 'a .npy', suffixes: ['.npy'], magics: ['\x93NUMPY'], remedy: '' };

export const CONTAINERS: readonly Container[] = [
  NPY,
  {
    title: 'a zip archive (npz)',
    suffixes: ['.npz', '.zip'],
    magics: ['PK\x03\x04', 'PK\x05\x06', 'PK\x07\x08'],
    holds: 'npz',
    remedy: save('np.load("file.npz")["name"]'),
  },
  {
    title: 'an HDF5 file',
    suffixes: ['.h5', '.hdf5', '.hdf', '.he5', '.nc', '.nc4', '.mat'],
    magics: ['\x89HDF\r\n\x1a\n'],
    // Behind a user block.
    at: [0, 512, 1024, 2048],
    remedy: save('h5py.File("file.h5")["name"][...]'),
  },
  {
    title: 'a netCDF file',
    suffixes: ['.nc', '.cdf'],
    magics: ['CDF\x01', 'CDF\x02', 'CDF\x05'],
    remedy: save('xarray.open_dataset("file.nc")["name"].values'),
  },
  {
    title: 'a MATLAB file',
    suffixes: ['.mat'],
    magics: ['MATLAB 5.0 MAT-file'],
    remedy: save('scipy.io.loadmat("file.mat")["name"]'),
  },
  {
    title: 'a FITS file',
    suffixes: ['.fits', '.fit', '.fts'],
    magics: ['SIMPLE  ='],
    remedy: save('astropy.io.fits.getdata("file.fits")'),
  },
  {
    title: 'a safetensors file',
    suffixes: ['.safetensors'],
    magics: [],
    holds: 'safetensors',
    remedy: save('safetensors.numpy.load_file("file.safetensors")["name"]'),
  },
  {
    title: 'a Parquet file',
    suffixes: ['.parquet', '.pq'],
    magics: ['PAR1'],
    remedy: save('pandas.read_parquet("file.parquet")["name"].to_numpy()'),
  },
  {
    title: 'an Arrow file',
    suffixes: ['.arrow', '.feather'],
    magics: ['ARROW1\0\0', 'FEA1'],
    remedy: save('pandas.read_feather("file.arrow")["name"].to_numpy()'),
  },
  { title: 'a gzip file', suffixes: ['.gz', '.tgz'], magics: ['\x1f\x8b\x08'], remedy: DECOMPRESS },
  {
    title: 'a bzip2 file',
    suffixes: ['.bz2'],
    magics: Array.from('123456789', level => `BZh${level}1AY&SY`),
    remedy: DECOMPRESS,
  },
  { title: 'an xz file', suffixes: ['.xz'], magics: ['\xfd7zXZ\0'], remedy: DECOMPRESS },
  { title: 'a zstd file', suffixes: ['.zst', '.zstd'], magics: ['\x28\xb5\x2f\xfd'], remedy: DECOMPRESS },
  { title: 'an lz4 file', suffixes: ['.lz4'], magics: ['\x04\x22\x4d\x18'], remedy: DECOMPRESS },
  { title: 'a PNG image', suffixes: ['.png'], magics: ['\x89PNG\r\n\x1a\n'], remedy: PIXELS },
  {
    title: 'a JPEG image',
    suffixes: ['.jpg', '.jpeg'],
    magics: ['\xff\xd8\xff\xe0', '\xff\xd8\xff\xe1', '\xff\xd8\xff\xdb'],
    remedy: PIXELS,
  },
  {
    title: 'a TIFF image',
    suffixes: ['.tif', '.tiff'],
    magics: ['II*\0', 'MM\0*', 'II+\0', 'MM\0+'],
    remedy: save('tifffile.imread("file.tif")'),
  },
];

/** The container of a format. */
export function containerHolding(format: ContainerFormat): Container {
  return CONTAINERS.find(({ holds }) => holds === format)!;
}

/** What begins with the signature of a container, where that may stand at one of these bytes; and where it ends. */
export function signatureIn(
  head: Uint8Array,
  isPlace: (at: number) => boolean = () => true,
): { row: Container; end: number } | undefined {
  for (const row of CONTAINERS) {
    for (const at of (row.at ?? [0]).filter(isPlace)) {
      const magic = row.magics.find(each => begins(head, at, each));
      if (magic !== undefined) return { row, end: at + magic.length };
    }
  }
  return undefined;
}

function begins(head: Uint8Array, at: number, magic: string): boolean {
  for (let i = 0; i < magic.length; i++) if (head[at + i] !== magic.charCodeAt(i)) return false;
  return true;
}
