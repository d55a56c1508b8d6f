/** What numpy answers for chosen rows and groups: `a[mask][slice]`, and loops over np.unique of the keys. */
import { NUMPY_HISTOGRAM } from '../histogram/numpy-program.js';
import { NUMPY_START } from '../live-numpy.js';
import { NUMPY_REDUCTIONS } from '../numpy-program.js';
import { NUMPY_SELECTIONS } from '../quantiles/numpy-program.js';

/** Python: rows that a filter keeps. Integers are compared as Python's, floats with a literal of their own dtype. */
const FILTERS = `
import operator

def number_of(text):
    if not isinstance(text, str): return text
    return float(text) if text in ('NaN', 'Infinity', '-Infinity') else int(text)

def column_of(subject, own, arrays):
    if 'dataset' in subject: return arrays[subject['dataset']]
    return own[:, subject['column']] if 'column' in subject else own

def compared(column, name, value):
    if name == 'between': return compared(column, 'ge', value[0]) & compared(column, 'le', value[1])
    if name == 'in':
        found = np.zeros(column.shape, bool)
        for each in value: found |= compared(column, 'eq', each)
        return found
    value = number_of(value)
    if column.dtype.kind == 'f': return getattr(operator, name)(column, column.dtype.type(float(value)))
    return getattr(operator, name)(column.astype(object), value).astype(bool)

def joined(column, join, arrays):
    codes = arrays[join['dataset']]
    if 'where' in join: codes = codes[row_mask(join['where'], codes, arrays)]
    values = {value for value in codes.tolist() if value == value}
    return np.array([value in values for value in column.tolist()], bool)

def row_mask(where, own, arrays):
    if 'not' in where: return ~row_mask(where['not'], own, arrays)
    if 'and' in where: return np.all([row_mask(each, own, arrays) for each in where['and']], axis=0)
    if 'or' in where: return np.any([row_mask(each, own, arrays) for each in where['or']], axis=0)
    column = column_of(where, own, arrays)
    mask = np.ones(column.shape, bool)
    for name, value in where.items():
        if name in ('column', 'self', 'dataset'): continue
        if name == 'is_nan': mask &= (np.isnan(column) if column.dtype.kind == 'f' else np.zeros(column.shape, bool)) == value
        elif name == 'in' and isinstance(value, dict): mask &= joined(column, value, arrays)
        else: mask &= compared(column, name, value)
    return mask

def taken(case):
    arrays = {name: read_array(array) for name, array in case['arrays'].items()}
    a = arrays['main']
    mask = row_mask(case['where'], a, arrays) if 'where' in case else np.ones(len(a), bool)
    index = eval('np.s_[' + (case['slice'] or '...') + ']')
    parts = index if isinstance(index, tuple) else (index,)
    stands_for_none = sum(part is not None and part is not Ellipsis for part in parts) == a.ndim
    first = next((part for part in parts if not (part is Ellipsis and stands_for_none)), slice(None))
    rows = np.flatnonzero(mask)[slice(None) if first is Ellipsis else first]
    return arrays, a[mask][index], rows, int(mask.sum())
`;

/** Python: any operation, and what its answer is rounded in. */
const OPERATIONS = `
def operate(a, op, case):
    name, given = (op, None) if isinstance(op, str) else next(iter(op.items()))
    if name in ('median', 'quantile'): return name, selected(a, name, case, given)
    if name == 'histogram': return name, histogram(a, given, case['nan'])
    return name, reduced(a, name, case)

def answers_of(a, case):
    sizes = np.abs(a.astype('f8'))
    sizes = sizes[np.isfinite(sizes)]
    return {
        'largest': float(sizes.max()) if sizes.size else 0, 'size': a.size,
        'count': reduced(a, 'count', case), 'results': dict(operate(a, op, case) for op in case['ops']),
    }
`;

const START = [NUMPY_START, NUMPY_REDUCTIONS, NUMPY_SELECTIONS, NUMPY_HISTOGRAM, FILTERS, OPERATIONS].join('');

export const NUMPY_WHERE = `${START}
def answer(case):
    arrays, s, rows, kept = taken(case)
    return {'kept': kept, **answers_of(s, case)}

answer_all(answer)
`;

export const NUMPY_GROUPS = `${START}
def numbered(key, arrays, rows):
    column = column_of(key, arrays['main'], arrays)[rows]
    if 'bins' not in key:
        values, numbers = np.unique(column, return_inverse=True)
        return values, numbers.reshape(-1)
    edges = [number_of(edge) for edge in key['bins']]
    numbers = np.full(len(column), -1)
    exact = column.astype(object)
    for bin, (low, high) in enumerate(zip(edges, edges[1:])):
        below = exact <= high if bin + 2 == len(edges) else exact < high
        numbers[(exact >= low).astype(bool) & below.astype(bool)] = bin
    return np.arange(len(edges) - 1), numbers

def answer(case):
    arrays, s, rows, kept = taken(case)
    asked = case['group_by'] if isinstance(case['group_by'], list) else [case['group_by']]
    keys = [numbered(key, arrays, rows) for key in asked]
    numbers = np.array([each for _, each in keys]).T.reshape(len(rows), len(keys))
    groups = [each for each in sorted(set(map(tuple, numbers.tolist()))) if -1 not in each]
    return {
        'kept': kept,
        'keys': [listed(values[[group[i] for group in groups]]) for i, (values, _) in enumerate(keys)],
        'groups': [answers_of(s[(numbers == group).all(axis=1)], case) for group in groups],
        # Known before there is a group.
        'none': answers_of(np.empty((1, *s.shape[1:]), s.dtype), case) if 0 in s.shape[1:] and not groups else None,
    }

answer_all(answer)
`;
