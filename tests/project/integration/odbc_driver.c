/* An ODBC driver that connects to nothing. It appends each access token that it is given to the file ACCESS_TOKEN_FILE. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUCCESS = 0, NO_DATA = 100, SQL_COPT_SS_ACCESS_TOKEN = 1256 };

typedef short Result;
typedef void *Handle;

Result SQLAllocHandle(short type, Handle parent, Handle *handle) {
    *handle = malloc(1);
    return SUCCESS;
}

Result SQLFreeHandle(short type, Handle handle) {
    free(handle);
    return SUCCESS;
}

Result SQLSetEnvAttr(Handle environment, int attribute, void *value, int length) { return SUCCESS; }

Result SQLSetConnectAttrW(Handle connection, int attribute, void *value, int length) {
    if (attribute == SQL_COPT_SS_ACCESS_TOKEN) {
        uint32_t size;
        FILE *file = fopen(getenv("ACCESS_TOKEN_FILE"), "ab");
        memcpy(&size, value, sizeof size);
        fwrite(value, 1, sizeof size + size, file);
        fclose(file);
    }
    return SUCCESS;
}

Result SQLDriverConnectW(Handle connection, void *window, void *in, short in_length, void *out, short out_size,
                         short *out_length, unsigned short completion) {
    return SUCCESS;
}

Result SQLGetInfoW(Handle connection, unsigned short type, void *value, short size, short *length) {
    memset(value, 0, size > 2 ? size : 4);
    if (length)
        *length = 0;
    return SUCCESS;
}

Result SQLDisconnect(Handle connection) { return SUCCESS; }

Result SQLEndTran(short type, Handle handle, short completion) { return SUCCESS; }

Result SQLGetDiagRecW(short type, Handle handle, short number, void *state, int *native, void *text, short size,
                      short *length) {
    return NO_DATA;
}
