/* (x + y) * z with its three gradients, as a function of Python's own calling convention. */
#include <Python.h>

static PyObject *gradient(PyObject *self, PyObject *const *given, Py_ssize_t count) {
    if (count != 3) {
        PyErr_SetString(PyExc_TypeError, "three numbers");
        return NULL;
    }
    double in[3];
    for (int k = 0; k < 3; k++) {
        in[k] = PyFloat_AsDouble(given[k]);
        if (in[k] == -1.0 && PyErr_Occurred()) return NULL;
    }
    double q = in[0] + in[1];
    double numbers[4] = {q * in[2], in[2], in[2], q};
    PyObject *out = PyTuple_New(4);
    for (int k = 0; out && k < 4; k++) {
        PyObject *number = PyFloat_FromDouble(numbers[k]);
        if (!number) Py_CLEAR(out);
        else PyTuple_SET_ITEM(out, k, number);
    }
    return out;
}

static PyMethodDef methods[] = {
    {"gradient", (PyCFunction)(void (*)(void))gradient, METH_FASTCALL, "value and gradients"},
    {NULL, NULL, 0, NULL},
};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "product", NULL, -1, methods};

PyMODINIT_FUNC PyInit_product(void) { return PyModule_Create(&module); }
